// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Keeps ether for others and pays before it writes down that it has paid
contract EtherBank {
    mapping(address account => uint256) public balanceOf;

    function deposit(address account) external payable {
        balanceOf[account] += msg.value;
    }

    function withdraw(uint256 amount) external {
        require(balanceOf[msg.sender] >= amount, "too little");
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
        unchecked {
            balanceOf[msg.sender] -= amount;
        }
    }

    /// @notice A private payment to another member: nothing leaves.
    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}
