// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IDividend {
    function balanceOf(address who) external view returns (uint256);
    function totalSupply() external view returns (uint256);
}

/// Pays each holder his part of what is here, once in a period.
contract Payer {
    IDividend public immutable token;
    mapping(address => uint256) public lastClaim;

    constructor(IDividend token_) payable {
        token = token_;
    }

    receive() external payable {}

    function claimDividend() external {
        require(block.timestamp >= lastClaim[msg.sender] + 7 days, "period");
        lastClaim[msg.sender] = block.timestamp;
        uint256 due = address(this).balance * token.balanceOf(msg.sender) / token.totalSupply() / 10;
        (bool sent,) = msg.sender.call{value: due}("");
        require(sent);
    }
}
