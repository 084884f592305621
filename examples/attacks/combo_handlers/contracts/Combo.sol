// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Runs handlers of the user's choosing as its own code, over tokens that users approved to it.
contract Combo {
    mapping(address => bool) public handlers;
    address public owner = msg.sender;

    function register(address handler) external {
        require(msg.sender == owner);
        handlers[handler] = true;
    }

    function execs(address[] calldata tos, bytes[] calldata datas) external payable {
        for (uint256 i = 0; i < tos.length; i++) {
            // The registry was to be asked here; a proxy that had never been initialised passed for a handler.
            if (!handlers[tos[i]]) require(tos[i].code.length > 0);
            (bool done,) = tos[i].delegatecall(datas[i]);
            require(done, "handler");
        }
    }
}
