// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IBox is IToken {
    function convertToAssets(uint256 shares) external view returns (uint256);
}

/// Lends against shares of a vault, at what the vault says they are worth.
contract IronBank {
    IBox public immutable box;
    IToken public immutable dai;
    mapping(address => uint256) public shares;
    mapping(address => uint256) public owed;
    mapping(address => uint256) public dais;
    mapping(address => uint256) public owedShares;

    constructor(IBox box_, IToken dai_) {
        (box, dai) = (box_, dai_);
    }

    function mint(uint256 amount) external {
        require(box.transferFrom(msg.sender, address(this), amount));
        shares[msg.sender] += amount;
    }

    function borrow(uint256 amount) external {
        owed[msg.sender] += amount;
        _check(msg.sender);
        dai.transfer(msg.sender, amount);
    }

    function repayBorrow(uint256 amount) external {
        dai.transferFrom(msg.sender, address(this), amount);
        owed[msg.sender] -= amount;
    }

    function redeem(uint256 amount) external {
        shares[msg.sender] -= amount;
        _check(msg.sender);
        box.transfer(msg.sender, amount);
    }

    function supplyDai(uint256 amount) external {
        dai.transferFrom(msg.sender, address(this), amount);
        dais[msg.sender] += amount;
    }

    function borrowShares(uint256 amount) external {
        owedShares[msg.sender] += amount;
        _check(msg.sender);
        box.transfer(msg.sender, amount);
    }

    function _check(address who) private view {
        uint256 owes = owed[who] + box.convertToAssets(owedShares[who]);
        require(owes <= (dais[who] + box.convertToAssets(shares[who])) * 75 / 100, "shortfall");
    }
}
