// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Sells bonds for ether and takes them back at the price that the seller says, up to what it has
/// @dev The price was meant to be checked.
contract Bonds {
    mapping(address account => uint256) public balanceOf;

    function buy() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function sell(uint256 amount, uint256 price) external {
        balanceOf[msg.sender] -= amount;
        (bool paid,) = msg.sender.call{value: amount * price / 1e18}("");
        require(paid, "not paid");
    }
}
