// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract InitBip18 {
    address private immutable thief = msg.sender;

    function init() external {
        (bool sent,) = thief.call{value: address(this).balance}("");
        require(sent);
    }
}
