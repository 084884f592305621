// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Takes a token for its caller and calls whatever he says with it
contract AnyRouter {
    mapping(bytes32 order => address maker) public makerOf;

    function route(Token token, uint256 amount, address target, bytes calldata data) external payable {
        if (amount > 0) {
            token.transferFrom(msg.sender, address(this), amount);
            token.approve(target, amount);
        }
        (bool done,) = target.call{value: msg.value}(data);
        require(done, "route failed");
    }

    /// @notice Keeps an order of the caller's, which anybody may carry out.
    function order(Token token, uint256 amount, address to) external {
        makerOf[keccak256(abi.encode(token, amount, to))] = msg.sender;
    }

    function carryOut(Token token, uint256 amount, address to) external {
        bytes32 id = keccak256(abi.encode(token, amount, to));
        address maker = makerOf[id];
        require(maker != address(0), "no such order");
        delete makerOf[id];
        token.transferFrom(maker, to, amount);
    }
}
