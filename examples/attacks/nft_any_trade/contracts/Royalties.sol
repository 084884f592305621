// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract Royalties {
    uint256 public paid;

    function pay(uint256 amount) external {
        paid += amount;
    }
}
