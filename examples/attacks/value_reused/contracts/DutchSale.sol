// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A sale for ether, which gives back what is bid beyond its cap, and takes several calls at once.
contract DutchSale {
    mapping(address => uint256) public commitments;
    uint256 public total;
    uint256 public immutable cap;
    address payable public immutable beneficiary;

    event AddedCommitment(address indexed who, uint256 amount);

    constructor(uint256 cap_) {
        cap = cap_;
        beneficiary = payable(msg.sender);
    }

    function commitEth(address payable who) public payable {
        uint256 taken = msg.value;
        if (total + taken > cap) taken = cap - total;
        if (taken > 0) {
            commitments[who] += taken;
            total += taken;
            emit AddedCommitment(who, taken);
        }
        if (msg.value > taken) who.transfer(msg.value - taken);
    }

    function batch(bytes[] calldata calls, bool strict) external payable {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done,) = address(this).delegatecall(calls[i]);
            require(done || !strict);
        }
    }

    /// Whoever changes his mind takes out what he put in.
    function withdrawTokens() external {
        uint256 mine = commitments[msg.sender];
        commitments[msg.sender] = 0;
        total -= mine;
        payable(msg.sender).transfer(mine);
    }
}
