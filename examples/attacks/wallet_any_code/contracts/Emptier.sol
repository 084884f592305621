// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Sends away all that the account has whose code it becomes
contract Emptier {
    function empty(address payable to) external payable {
        (bool paid,) = to.call{value: address(this).balance}("");
        require(paid, "not paid");
    }
}
