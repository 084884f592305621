// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// What stands behind the proxy: a vesting desk. Its initialiser forgot that there is an owner already.
contract Treasure {
    address private _boss;
    IToken private _coin;
    mapping(address => uint256) public claimable;

    function init(address boss_, address coin_) external {
        _boss = boss_;
        _coin = IToken(coin_);
    }

    function getBoss() external view returns (address) {
        return _boss;
    }

    function grant(address who, uint256 amount) external {
        require(msg.sender == _boss);
        _coin.transferFrom(msg.sender, address(this), amount);
        claimable[who] += amount;
    }

    function claim() external {
        uint256 due = claimable[msg.sender];
        claimable[msg.sender] = 0;
        _coin.transfer(msg.sender, due);
    }

    function emergencyExit(address to, uint256 amount) external {
        require(msg.sender == _boss, "boss");
        _coin.transfer(to, amount);
    }
}
