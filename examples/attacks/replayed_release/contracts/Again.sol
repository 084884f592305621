// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ICustodian {
    function unlock(address to, uint256 amount, uint256 salt, uint8 v, bytes32 r, bytes32 s, bytes calldata note) external;
}

/// Hands one signature in many times, each time with another note.
contract Again {
    function again(ICustodian c, address to, uint256 amount, uint256 salt, uint8 v, bytes32 r, bytes32 s, uint256 times) external {
        for (uint256 i = 0; i < times; i++) c.unlock(to, amount, salt, v, r, s, abi.encode(i));
    }
}
