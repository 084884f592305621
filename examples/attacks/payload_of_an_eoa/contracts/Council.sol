// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Runs, by delegatecall, what its members approved by address, a day later. An address may be an account without code.
contract Council {
    mapping(address => bool) public member;
    uint256 public members;
    mapping(address => uint256) public approvals;
    mapping(address => mapping(address => bool)) public approvedBy;
    mapping(address => uint256) public since;
    mapping(address => uint256) public stipend;

    constructor(address[] memory list) payable {
        for (uint256 i = 0; i < list.length; i++) member[list[i]] = true;
        members = list.length;
    }

    receive() external payable {}

    function approveStep(address step) external {
        require(member[msg.sender] && !approvedBy[step][msg.sender]);
        approvedBy[step][msg.sender] = true;
        if (++approvals[step] == 1) since[step] = block.timestamp;
    }

    function run(address step) external {
        require(approvals[step] * 2 > members && block.timestamp >= since[step] + 1 days, "not approved");
        approvals[step] = 0;
        (bool done,) = step.delegatecall(abi.encodeWithSignature("step()"));
        require(done, "step");
    }
}
