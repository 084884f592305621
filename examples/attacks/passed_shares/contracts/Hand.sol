// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeShares} from "./FeeShares.sol";

/// @title Takes shares, claims for them as if it had always had them, and passes everything on
contract Hand {
    function claim(FeeShares shares) external {
        shares.getReward();
        shares.rewardsToken().transfer(msg.sender, shares.rewardsToken().balanceOf(address(this)));
        shares.transfer(msg.sender, shares.balanceOf(address(this)));
    }
}
