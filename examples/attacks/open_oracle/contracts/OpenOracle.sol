// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A price that anybody may report who has put up a stake; the last report stands
contract OpenOracle {
    uint256 public constant STAKE = 10 ether;
    Token public immutable stakeToken;
    uint256 public price;
    mapping(address reporter => uint256) public staked;

    event Reported(address indexed reporter, uint256 price);

    constructor(Token stakeToken_, uint256 price_) {
        stakeToken = stakeToken_;
        price = price_;
    }

    function stake() external {
        stakeToken.transferFrom(msg.sender, address(this), STAKE);
        staked[msg.sender] += STAKE;
    }

    /// @notice One collateral token in the asset, with 18 decimals.
    function report(uint256 price_) external {
        require(staked[msg.sender] >= STAKE, "no stake");
        price = price_;
        emit Reported(msg.sender, price_);
    }
}
