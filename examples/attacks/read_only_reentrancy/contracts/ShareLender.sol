// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";
import {EtherPool} from "./EtherPool.sol";

/// @title Lends against shares of a pool, at the price that the pool tells
contract ShareLender {
    EtherPool public immutable pool;
    Token public immutable asset;
    mapping(address account => uint256) public pledged;
    mapping(address account => uint256) public debt;

    constructor(EtherPool pool_, Token asset_) {
        pool = pool_;
        asset = asset_;
    }

    function borrowable(address account) public view returns (uint256) {
        uint256 limit = pledged[account] * pool.get_virtual_price() / 1e18 * 80 / 100;
        return limit > debt[account] ? limit - debt[account] : 0;
    }

    function pledge(uint256 shares) external {
        pool.transferFrom(msg.sender, address(this), shares);
        pledged[msg.sender] += shares;
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
