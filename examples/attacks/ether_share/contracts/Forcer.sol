// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Its constructor destroys it, and its ether goes where nobody asked for it: the contract has no way to refuse.
contract Forcer {
    constructor(address to) payable {
        bytes memory code = abi.encodePacked(hex"73", to, hex"ff");
        uint256 value = msg.value;
        assembly {
            pop(create(value, add(code, 32), mload(code)))
        }
    }
}
