// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A market that writes down what it read before it took the token
contract SupplyBook {
    Token public immutable token;
    mapping(address account => uint256) public supplied;

    constructor(Token token_) {
        token = token_;
    }

    function supply(uint256 amount) external {
        uint256 before = supplied[msg.sender];
        token.transferFrom(msg.sender, address(this), amount);
        supplied[msg.sender] = before + amount;
    }

    function withdraw(uint256 amount) external {
        supplied[msg.sender] -= amount;
        token.transfer(msg.sender, amount);
    }
}
