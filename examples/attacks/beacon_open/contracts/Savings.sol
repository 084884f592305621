// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// What stands behind the proxies.
contract Savings {
    mapping(address => uint256) public saved;

    function save() external payable {
        saved[msg.sender] += msg.value;
    }

    function spend(uint256 amount) external {
        saved[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
    }
}
