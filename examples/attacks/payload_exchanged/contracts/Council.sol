// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Runs as itself what a member proposed and another approved
contract Council {
    mapping(address account => uint256) public balanceOf;
    mapping(address proposer => address) public payloadOf;
    mapping(address proposer => uint256) public approvals;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function propose(address payload) external {
        payloadOf[msg.sender] = payload;
        approvals[msg.sender] = 0;
    }

    function approve(address proposer) external {
        require(balanceOf[msg.sender] > 0 && msg.sender != proposer, "not another member");
        approvals[proposer] += 1;
    }

    function carryOut(address proposer) external {
        require(approvals[proposer] > 0, "not approved");
        approvals[proposer] = 0;
        (bool done,) = payloadOf[proposer].delegatecall(abi.encodeWithSignature("run()"));
        require(done, "failed");
    }
}
