// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A plugin that does no harm
contract Greeter {
    event Greeted(address whom);

    function greet() external payable {
        emit Greeted(msg.sender);
    }
}
