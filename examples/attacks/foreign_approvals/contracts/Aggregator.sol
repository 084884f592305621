// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Swaps by whatever calls the user says, and has the allowances of many users
contract Aggregator {
    address public immutable owner = msg.sender;

    /// @notice Takes tokens, does what the user says, and hands over what it got.
    function swap(Token tokenIn, uint256 amount, Token tokenOut, uint256 amountMin, address target, bytes calldata data)
        external
    {
        if (amount != 0) {
            tokenIn.transferFrom(msg.sender, address(this), amount);
            tokenIn.approve(target, amount);
        }
        (bool done,) = target.call(data);
        require(done, "failed");
        uint256 got = tokenOut.balanceOf(address(this));
        require(got >= amountMin, "too little");
        tokenOut.transfer(msg.sender, got);
    }

    function swapWithPermit(
        Token tokenIn,
        uint256 amount,
        Token tokenOut,
        address target,
        bytes calldata data,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        tokenIn.permit(msg.sender, address(this), amount, type(uint256).max, v, r, s);
        tokenIn.transferFrom(msg.sender, address(this), amount);
        tokenIn.approve(target, amount);
        (bool done,) = target.call(data);
        require(done, "failed");
        tokenOut.transfer(msg.sender, tokenOut.balanceOf(address(this)));
    }
}
