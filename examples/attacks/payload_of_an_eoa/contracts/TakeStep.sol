// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract TakeStep {
    address private immutable thief;

    constructor() {
        thief = msg.sender;
    }

    receive() external payable {}

    function step() external {
        (bool sent,) = thief.call{value: address(this).balance}("");
        require(sent);
    }
}
