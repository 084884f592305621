// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Redeems notes for cash, one for one, and sells them again
contract Redeemer {
    Token public immutable note;
    Token public immutable cash;

    constructor(Token note_, Token cash_) {
        note = note_;
        cash = cash_;
    }

    function redeem(uint256 amount, address to) external {
        note.transferFrom(msg.sender, address(this), amount);
        cash.transfer(to, amount);
    }

    function buy(uint256 amount, address to) external {
        cash.transferFrom(msg.sender, address(this), amount);
        note.transfer(to, amount);
    }
}
