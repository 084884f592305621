// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Looks like a transfer; writes its first argument over slot 0.
contract Trojan {
    address internal slot0;

    function transfer(address to, uint256) external {
        slot0 = to;
    }
}
