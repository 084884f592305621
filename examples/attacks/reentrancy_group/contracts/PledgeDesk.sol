// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";
import {EtherMarket} from "./EtherMarket.sol";

/// @title Keeps the collateral for a market in a contract of its own
contract PledgeDesk {
    Token public immutable collateral;
    EtherMarket public market;
    mapping(address account => uint256) public pledged;

    constructor(Token collateral_) {
        collateral = collateral_;
    }

    function open(EtherMarket market_) external {
        require(address(market) == address(0), "open already");
        market = market_;
    }

    function pledge(uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        pledged[msg.sender] += amount;
    }

    /// @notice Gives back what no debt needs.
    function take(uint256 amount) external {
        pledged[msg.sender] -= amount;
        require(market.debt(msg.sender) <= pledged[msg.sender] * 70 / 100, "not covered");
        collateral.transfer(msg.sender, amount);
    }
}
