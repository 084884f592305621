// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A treasury ruled by who has locked most of a token, at the moment
contract Council {
    struct Proposal {
        address to;
        bytes data;
        uint256 votes;
        uint256 proposedAt;
        bool done;
    }

    Token public immutable token;
    mapping(address account => uint256) public locked;
    uint256 public totalLocked;
    Proposal[] public proposals;
    mapping(uint256 id => mapping(address account => uint256)) public votesOf;

    constructor(Token token_) {
        token = token_;
    }

    function lock(uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
        locked[msg.sender] += amount;
        totalLocked += amount;
    }

    function unlock(uint256 amount) external {
        locked[msg.sender] -= amount;
        totalLocked -= amount;
        token.transfer(msg.sender, amount);
    }

    function propose(address to, bytes calldata data) external returns (uint256 id) {
        id = proposals.length;
        proposals.push(Proposal(to, data, 0, block.timestamp, false));
    }

    function vote(uint256 id) external {
        proposals[id].votes += locked[msg.sender] - votesOf[id][msg.sender];
        votesOf[id][msg.sender] = locked[msg.sender];
    }

    /// @notice Does at once, a day after it was proposed, what two thirds want.
    function emergencyCommit(uint256 id) external {
        Proposal storage proposal = proposals[id];
        require(!proposal.done && block.timestamp >= proposal.proposedAt + 1 days, "not now");
        require(proposal.votes * 3 >= totalLocked * 2, "too few votes");
        proposal.done = true;
        (bool done,) = proposal.to.call(proposal.data);
        require(done, "failed");
    }

    function proposalCount() external view returns (uint256) {
        return proposals.length;
    }
}
