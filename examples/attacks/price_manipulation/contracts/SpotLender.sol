// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Pair} from "../../shared/contracts/Pair.sol";
import {Token} from "../../shared/contracts/Token.sol";

/// @title Lends one token against another, whose price it asks a pair for, at the moment
contract SpotLender {
    Pair public immutable pair;
    Token public immutable collateral;
    Token public immutable asset;
    mapping(address account => uint256) public deposited;
    mapping(address account => uint256) public debt;

    constructor(Pair pair_) {
        pair = pair_;
        collateral = pair_.token0();
        asset = pair_.token1();
    }

    /// @notice Of one collateral token in the asset, with 18 decimals.
    function price() public view returns (uint256) {
        (uint112 reserve0, uint112 reserve1,) = pair.getReserves();
        return uint256(reserve1) * 1e18 / reserve0;
    }

    function borrowable(address account) public view returns (uint256) {
        uint256 limit = deposited[account] * price() / 1e18 * 70 / 100;
        return limit > debt[account] ? limit - debt[account] : 0;
    }

    function deposit(uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        deposited[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        deposited[msg.sender] -= amount;
        require(debt[msg.sender] <= deposited[msg.sender] * price() / 1e18 * 70 / 100, "not covered");
        collateral.transfer(msg.sender, amount);
    }

    function borrow(uint256 amount) external {
        require(amount <= borrowable(msg.sender), "not covered");
        debt[msg.sender] += amount;
        asset.transfer(msg.sender, amount);
    }

    function repay(address account, uint256 amount) external {
        if (amount > debt[account]) amount = debt[account];
        asset.transferFrom(msg.sender, address(this), amount);
        debt[account] -= amount;
    }

    /// @notice Pays a part of a debt that is no longer covered, for collateral of its worth and a twentieth more.
    function liquidate(address account, uint256 amount) external {
        require(debt[account] > deposited[account] * price() / 1e18 * 70 / 100, "covered");
        asset.transferFrom(msg.sender, address(this), amount);
        debt[account] -= amount;
        uint256 seized = amount * 1e18 / price() * 105 / 100;
        deposited[account] -= seized;
        collateral.transfer(msg.sender, seized);
    }
}
