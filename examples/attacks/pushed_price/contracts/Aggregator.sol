// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A feed as those of Chainlink answer. Whoever is a reporter may report; becoming one is free.
contract Aggregator {
    struct Round {
        int256 answer;
        uint64 at;
    }

    mapping(uint80 => Round) private rounds;
    uint80 private latest;
    mapping(address => bool) public reporters;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(int256 first) {
        rounds[++latest] = Round(first, uint64(block.timestamp));
        reporters[msg.sender] = true;
    }

    function join() external {
        reporters[msg.sender] = true;
    }

    function transmit(int256 value) external {
        require(reporters[msg.sender]);
        rounds[++latest] = Round(value, uint64(block.timestamp));
        emit AnswerUpdated(value, latest, block.timestamp);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        Round memory r = rounds[latest];
        return (latest, r.answer, r.at, r.at, latest);
    }

    function answer() external view returns (uint256) {
        return uint256(rounds[latest].answer);
    }

    function decimals() external pure returns (uint8) {
        return 8;
    }
}
