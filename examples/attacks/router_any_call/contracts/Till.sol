// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Takes payments for others
contract Till {
    mapping(address account => uint256) public paidFor;

    function pay(Token token, uint256 amount, address whom) external {
        token.transferFrom(msg.sender, address(this), amount);
        paidFor[whom] += amount;
    }
}
