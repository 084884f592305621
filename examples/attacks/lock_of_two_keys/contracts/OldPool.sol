// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

/// A pool of ether and a token. Each function has a lock, as one compiler had it: not the same one.
contract OldPool {
    IToken private immutable peth;
    uint256 private lockAdd;
    uint256 private lockRemove;
    uint256[2] public balances;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(IToken peth_) {
        peth = peth_;
    }

    function coins(uint256 i) external view returns (address) {
        return i == 0 ? 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE : address(peth);
    }

    function get_virtual_price() external view returns (uint256) {
        return totalSupply == 0 ? 0 : (balances[0] + balances[1]) * 1e18 / totalSupply;
    }

    function add_liquidity(uint256[2] calldata amounts, uint256 least) external payable returns (uint256 minted) {
        require(lockAdd == 0);
        lockAdd = 1;
        require(msg.value == amounts[0]);
        uint256 d0 = balances[0] + balances[1];
        if (amounts[1] > 0) peth.transferFrom(msg.sender, address(this), amounts[1]);
        minted = totalSupply == 0 ? amounts[0] + amounts[1] : (amounts[0] + amounts[1]) * totalSupply / d0;
        require(minted >= least);
        balances[0] += amounts[0];
        balances[1] += amounts[1];
        totalSupply += minted;
        balanceOf[msg.sender] += minted;
        emit Transfer(address(0), msg.sender, minted);
        lockAdd = 0;
    }

    function remove_liquidity(uint256 amount, uint256[2] calldata) external {
        require(lockRemove == 0);
        lockRemove = 1;
        uint256 supply = totalSupply;
        for (uint256 i = 0; i < 2; i++) {
            uint256 value = balances[i] * amount / supply;
            balances[i] -= value;
            if (i == 0) {
                (bool sent,) = msg.sender.call{value: value}("");
                require(sent);
            } else {
                peth.transfer(msg.sender, value);
            }
        }
        supply -= amount;
        totalSupply = supply;
        balanceOf[msg.sender] -= amount;
        emit Transfer(msg.sender, address(0), amount);
        lockRemove = 0;
    }

    function exchange(uint256 i, uint256 dx, uint256 least) external payable returns (uint256 dy) {
        dy = dx * 9996 / 10_000;
        require(dy >= least);
        balances[i] += dx;
        balances[1 - i] -= dy;
        if (i == 0) {
            require(msg.value == dx);
            peth.transfer(msg.sender, dy);
        } else {
            peth.transferFrom(msg.sender, address(this), dx);
            (bool sent,) = msg.sender.call{value: dy}("");
            require(sent);
        }
    }
}
