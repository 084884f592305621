// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title What members read before they approve
contract MildPayload {
    event Ran();

    function run() external {
        emit Ran();
    }
}
