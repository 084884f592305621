// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPlay {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function mint(address to, uint256 amount) external;
}

/// Sells and buys a game's tokens at a thousand for an ether.
contract GameShop {
    IPlay private immutable play;

    constructor(IPlay play_) payable {
        play = play_;
    }

    function buy() external payable {
        play.mint(msg.sender, msg.value * 1000);
    }

    function sell(uint256 amount) external {
        play.transferFrom(msg.sender, address(this), amount);
        payable(msg.sender).transfer(amount / 1000);
    }
}
