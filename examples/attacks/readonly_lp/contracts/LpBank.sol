// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface ILp is IToken {
    function get_virtual_price() external view returns (uint256);
}

/// Lends a dollar token against shares of a pool, at the price that the pool says.
contract LpBank {
    ILp public immutable lp;
    IToken public immutable usd;
    mapping(address => uint256) public collateral;
    mapping(address => uint256) public debt;

    constructor(ILp lp_, IToken usd_) {
        (lp, usd) = (lp_, usd_);
    }

    /// One ether is two thousand dollars here.
    function limit(address who) public view returns (uint256) {
        return collateral[who] * lp.get_virtual_price() / 1e18 * 2000 * 80 / 100;
    }

    function lock(uint256 amount) external {
        lp.transferFrom(msg.sender, address(this), amount);
        collateral[msg.sender] += amount;
    }

    function draw(uint256 amount) external {
        debt[msg.sender] += amount;
        require(debt[msg.sender] <= limit(msg.sender), "undercollateralised");
        usd.transfer(msg.sender, amount);
    }

    function wipe(address who, uint256 amount) external {
        usd.transferFrom(msg.sender, address(this), amount);
        debt[who] -= amount;
    }

    function free(uint256 amount) external {
        collateral[msg.sender] -= amount;
        require(debt[msg.sender] <= limit(msg.sender), "undercollateralised");
        lp.transfer(msg.sender, amount);
    }

    /// Whoever pays the debt of somebody above his limit takes the collateral.
    function bite(address who) external {
        require(debt[who] > limit(who), "healthy");
        usd.transferFrom(msg.sender, address(this), debt[who]);
        debt[who] = 0;
        uint256 all = collateral[who];
        collateral[who] = 0;
        lp.transfer(msg.sender, all);
    }
}
