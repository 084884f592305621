// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Becomes, at one and the same address, whatever its creator says
contract Shifter {
    constructor() {
        (, bytes memory answer) = msg.sender.staticcall(abi.encodeWithSignature("form()"));
        bytes memory code = abi.decode(answer, (bytes));
        assembly {
            return(add(code, 32), mload(code))
        }
    }
}
