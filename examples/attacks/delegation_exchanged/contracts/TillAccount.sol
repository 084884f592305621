// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;


/// @title What an account runs that keeps ether for others: everybody takes back what he has left there
contract TillAccount {
    mapping(address account => uint256) public kept;

    function keep() external payable {
        kept[msg.sender] += msg.value;
    }

    function take(uint256 amount) external {
        kept[msg.sender] -= amount;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
    }
}
