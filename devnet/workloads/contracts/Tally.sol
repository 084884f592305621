// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Counts calls, all of them and those of each caller, and passes ether on to the block's fee recipient
contract Tally {
    uint256 public total;
    mapping(address caller => uint256) public countOf;

    error NotPassedOn(uint256 value);

    /// @notice Every call meets every other one in `total`.
    function count() external {
        total += 1;
        countOf[msg.sender] += 1;
    }

    /// @notice Pays the fee recipient from within the EVM, as searchers do; meets nobody else.
    function tip() external payable {
        countOf[msg.sender] += 1;
        (bool paid,) = block.coinbase.call{value: msg.value}("");
        require(paid, NotPassedOn(msg.value));
    }
}
