// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Keeps a token for others; its owner may take out what was sent here by mistake, and so may everybody
contract Escrow {
    address public owner = msg.sender;
    Token public immutable token;
    mapping(address account => uint256) public balanceOf;

    constructor(Token token_) {
        token = token_;
    }

    function deposit(uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
        balanceOf[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        token.transfer(msg.sender, amount);
    }

    /// @dev Here the check of the sender is missing.
    function recoverERC20(Token which, uint256 amount) external {
        which.transfer(msg.sender, amount);
    }
}
