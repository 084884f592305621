// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Counts what is locked, and carries out at once what most of the supply wants
contract QuickGovernor {
    struct Proposal {
        address target;
        uint256 value;
        bytes data;
        uint256 votes;
        bool done;
    }

    Token public immutable token;
    Proposal[] public proposals;
    mapping(address account => uint256) public locked;
    mapping(uint256 id => mapping(address account => bool)) public voted;

    constructor(Token token_) {
        token = token_;
    }

    function lock(uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
        locked[msg.sender] += amount;
    }

    function unlock(uint256 amount) external {
        locked[msg.sender] -= amount;
        token.transfer(msg.sender, amount);
    }

    function suggest(address target, uint256 value, bytes calldata data) external returns (uint256) {
        proposals.push(Proposal(target, value, data, 0, false));
        return proposals.length - 1;
    }

    function support(uint256 id) external {
        require(!voted[id][msg.sender], "voted");
        voted[id][msg.sender] = true;
        proposals[id].votes += locked[msg.sender];
    }

    function carryOut(uint256 id) external {
        Proposal storage proposal = proposals[id];
        require(!proposal.done && proposal.votes * 2 > token.totalSupply(), "not wanted");
        proposal.done = true;
        (bool done,) = proposal.target.call{value: proposal.value}(proposal.data);
        require(done, "failed");
    }

    function count() external view returns (uint256) {
        return proposals.length;
    }

    receive() external payable {}
}
