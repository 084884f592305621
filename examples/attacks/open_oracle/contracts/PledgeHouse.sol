// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";
import {OpenOracle} from "./OpenOracle.sol";

/// @title Lends one token against another at the price that an oracle has kept
contract PledgeHouse {
    OpenOracle public immutable oracle;
    Token public immutable collateral;
    Token public immutable asset;
    mapping(address account => uint256) public pledged;
    mapping(address account => uint256) public debt;

    constructor(OpenOracle oracle_, Token collateral_, Token asset_) {
        oracle = oracle_;
        collateral = collateral_;
        asset = asset_;
    }

    function borrowable(address account) public view returns (uint256) {
        uint256 limit = pledged[account] * oracle.price() / 1e18 * 60 / 100;
        return limit > debt[account] ? limit - debt[account] : 0;
    }

    function pledge(uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        pledged[msg.sender] += amount;
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
