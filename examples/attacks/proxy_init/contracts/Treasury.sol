// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Keeps ether for its members; whoever initialises it owns it, and nobody counts how often
contract Treasury {
    bool public paused;
    address public owner;
    mapping(address member => uint256) public balanceOf;

    function setUp(address owner_) external {
        owner = owner_;
    }

    function handOver(address owner_) external {
        require(msg.sender == owner, "not the owner");
        owner = owner_;
    }

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
    }

    function rescue(address payable to) external {
        require(msg.sender == owner, "not the owner");
        (bool paid,) = to.call{value: address(this).balance}("");
        require(paid, "not paid");
    }
}
