// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract PayStep {
    address private immutable to;

    constructor(address to_) {
        to = to_;
    }

    function step() external {
        (bool sent,) = to.call{value: 1 ether}("");
        require(sent);
    }
}
