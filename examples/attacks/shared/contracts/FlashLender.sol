// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "./Token.sol";

interface IFlashBorrower {
    function onFlashLoan(Token token, uint256 amount, uint256 fee, bytes calldata data) external;
}

/// @title Lends all it has for the length of a call
contract FlashLender {
    function flashLoan(IFlashBorrower borrower, Token token, uint256 amount, bytes calldata data) external {
        uint256 before = token.balanceOf(address(this));
        uint256 fee = amount * 9 / 10_000;
        token.transfer(address(borrower), amount);
        borrower.onFlashLoan(token, amount, fee, data);
        require(token.balanceOf(address(this)) >= before + fee, "not repaid");
    }
}
