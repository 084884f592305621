// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IDrop {
    function claim(uint256 season, uint256 amount, uint8 v, bytes32 r, bytes32 s, bytes calldata referral) external;
}

/// The claimant's account delegates to this, to claim many times in one transaction.
contract Clerk {
    function many(IDrop drop, uint256 amount, uint8 v, bytes32 r, bytes32 s, uint256 times) external {
        for (uint256 i = 0; i < times; i++) drop.claim(1, amount, v, r, s, abi.encode(i));
    }
}
