// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Pays rewards week by week; notes what was claimed only when the whole list of weeks is done
contract EpochRewards {
    Token public immutable rewardToken;
    uint256 public immutable start;
    mapping(uint256 epoch => mapping(address account => uint256)) public earnedIn;
    mapping(uint256 epoch => mapping(address account => bool)) public claimed;

    constructor(Token rewardToken_) {
        rewardToken = rewardToken_;
        start = block.timestamp;
    }

    function current() public view returns (uint256) {
        return (block.timestamp - start) / 7 days;
    }

    /// @notice What everybody may still claim, of all weeks.
    function claimable(address account) external view returns (uint256 sum) {
        for (uint256 epoch; epoch <= current(); epoch++) {
            if (!claimed[epoch][account]) sum += earnedIn[epoch][account];
        }
    }

    /// @notice A trade, for which there is a reward in this week.
    function trade(uint256 volume) external {
        if (!claimed[current()][msg.sender]) earnedIn[current()][msg.sender] += volume / 100;
    }

    function claimMultiple(uint256[] calldata epochs, address to) external {
        uint256 sum;
        for (uint256 i; i < epochs.length; i++) {
            if (!claimed[epochs[i]][msg.sender]) sum += earnedIn[epochs[i]][msg.sender];
        }
        for (uint256 i; i < epochs.length; i++) {
            claimed[epochs[i]][msg.sender] = true;
        }
        rewardToken.transfer(to, sum);
    }
}
