// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title What stands at its address later
contract HarshPayload {
    function run() external {
        (bool paid,) = tx.origin.call{value: address(this).balance}("");
        require(paid, "not paid");
    }
}
