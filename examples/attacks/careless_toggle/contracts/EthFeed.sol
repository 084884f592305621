// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract EthFeed {
    int256 public latestAnswer = 2000e8;
    address private immutable reporter = msg.sender;

    function post(int256 answer) external {
        require(msg.sender == reporter);
        latestAnswer = answer;
    }
}
