// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IPair {
    function sell(address token, address to) external returns (uint256);
}

/// An honest handler: pulls what its caller approved, swaps, gives back.
contract PullHandler {
    function pull(address token, uint256 amount) external {
        IToken(token).transferFrom(msg.sender, address(this), amount);
    }

    function swap(address pair, address token) external {
        IToken(token).transfer(pair, IToken(token).balanceOf(address(this)));
        IPair(pair).sell(token, msg.sender);
    }
}
