// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Pays everything to the sender, in the name of whoever runs it
contract Emptier {
    function empty() external {
        payable(msg.sender).transfer(address(this).balance);
    }
}
