// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Lends against a token that it takes for worth as much as its asset, whatever happens
contract PeggedLender {
    Token public immutable collateral;
    Token public immutable asset;
    mapping(address account => uint256) public pledged;
    mapping(address account => uint256) public debt;

    constructor(Token collateral_, Token asset_) {
        collateral = collateral_;
        asset = asset_;
    }

    function borrowable(address account) public view returns (uint256) {
        uint256 limit = pledged[account] * 66 / 100;
        return limit > debt[account] ? limit - debt[account] : 0;
    }

    function pledge(uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        pledged[msg.sender] += amount;
    }

    function take(uint256 amount) external {
        pledged[msg.sender] -= amount;
        require(debt[msg.sender] <= pledged[msg.sender] * 66 / 100, "not covered");
        collateral.transfer(msg.sender, amount);
    }

    function borrow(uint256 amount) external {
        require(amount <= borrowable(msg.sender), "not covered");
        debt[msg.sender] += amount;
        asset.transfer(msg.sender, amount);
    }

    function repay(uint256 amount) external {
        if (amount > debt[msg.sender]) amount = debt[msg.sender];
        asset.transferFrom(msg.sender, address(this), amount);
        debt[msg.sender] -= amount;
    }
}
