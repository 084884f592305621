// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IRisk {
    function mayBorrow(address who, uint256 more) external view returns (bool);
    function mayWithdraw(address who, address desk, uint256 less) external view returns (bool);
}

/// One asset of a money market: deposits, loans, liquidations. Checks come first, effects last.
contract MarketDesk {
    IToken public immutable asset;
    IRisk public immutable risk;
    mapping(address => uint256) public depositOf;
    mapping(address => uint256) public debtOf;

    constructor(IToken asset_, IRisk risk_) {
        (asset, risk) = (asset_, risk_);
    }

    function supply(uint256 amount) external {
        asset.transferFrom(msg.sender, address(this), amount);
        depositOf[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        require(depositOf[msg.sender] >= amount && risk.mayWithdraw(msg.sender, address(this), amount), "collateral");
        asset.transfer(msg.sender, amount);
        depositOf[msg.sender] -= amount;
    }

    function borrow(uint256 amount) external {
        require(risk.mayBorrow(msg.sender, amount), "collateral");
        asset.transfer(msg.sender, amount);
        debtOf[msg.sender] += amount;
    }

    function repay(address who, uint256 amount) external {
        asset.transferFrom(msg.sender, address(this), amount);
        debtOf[who] -= amount;
    }
}
