// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPair {
    function getReserves() external view returns (uint112, uint112, uint32);
    function totalSupply() external view returns (uint256);
    function balanceOf(address who) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Values a pair's shares by twice their part of its dollars.
contract LpOracle {
    function latestPrice(IPair pair) external view returns (uint256) {
        (, uint112 dollars,) = pair.getReserves();
        return uint256(dollars) * 2 * 1e18 / pair.totalSupply();
    }
}

contract LpVault {
    IPair public immutable pair;
    IToken public immutable usd;
    LpOracle public immutable oracle = new LpOracle();

    struct Acct {
        uint256 lp;
        uint256 owed;
    }

    mapping(address => Acct) public accts;

    constructor(IPair pair_, IToken usd_) {
        (pair, usd) = (pair_, usd_);
    }

    function provideCollateral(uint256 amount) external {
        pair.transferFrom(msg.sender, address(this), amount);
        accts[msg.sender].lp += amount;
    }

    function borrowSC(uint256 amount) external {
        Acct storage a = accts[msg.sender];
        a.owed += amount;
        require(a.owed <= a.lp * oracle.latestPrice(pair) / 1e18 * 2 / 3, "cannot borrow");
        usd.transfer(msg.sender, amount);
    }

    function repaySC(uint256 amount) external {
        usd.transferFrom(msg.sender, address(this), amount);
        accts[msg.sender].owed -= amount;
    }
}
