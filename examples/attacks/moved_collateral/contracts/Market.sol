// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Lends one token against another of the same worth; whoever moves his collateral is not asked for his debt
contract Market {
    Token public immutable collateral;
    Token public immutable asset;
    mapping(address account => uint256) public deposited;
    mapping(address account => uint256) public debt;

    constructor(Token collateral_, Token asset_) {
        collateral = collateral_;
        asset = asset_;
    }

    /// @return error always zero
    /// @return liquidity what more may be borrowed
    /// @return shortfall what is not covered
    function getAccountLiquidity(address account)
        public
        view
        returns (uint256 error, uint256 liquidity, uint256 shortfall)
    {
        uint256 limit = deposited[account] * 80 / 100;
        error = 0;
        liquidity = limit > debt[account] ? limit - debt[account] : 0;
        shortfall = debt[account] > limit ? debt[account] - limit : 0;
    }

    function borrowable(address account) external view returns (uint256 liquidity) {
        (, liquidity,) = getAccountLiquidity(account);
    }

    /// @notice What the market has of its asset, and what is owed to it and covered by an account.
    function covered(address account) external view returns (uint256) {
        (,, uint256 shortfall) = getAccountLiquidity(account);
        return asset.balanceOf(address(this)) + debt[account] - shortfall;
    }

    function deposit(uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        deposited[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        deposited[msg.sender] -= amount;
        (,, uint256 shortfall) = getAccountLiquidity(msg.sender);
        require(shortfall == 0, "not covered");
        collateral.transfer(msg.sender, amount);
    }

    function borrow(uint256 amount) external {
        debt[msg.sender] += amount;
        (,, uint256 shortfall) = getAccountLiquidity(msg.sender);
        require(shortfall == 0, "not covered");
        asset.transfer(msg.sender, amount);
    }

    function repay(uint256 amount) external {
        if (amount > debt[msg.sender]) amount = debt[msg.sender];
        asset.transferFrom(msg.sender, address(this), amount);
        debt[msg.sender] -= amount;
    }

    /// @notice Gives collateral away. Nothing checks that the rest covers the debt.
    function moveCollateral(address to, uint256 amount) external {
        deposited[msg.sender] -= amount;
        deposited[to] += amount;
    }
}
