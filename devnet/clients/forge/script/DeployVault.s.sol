// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Vault} from "reentrancy/Vault.sol";

/// The part of forge's cheat codes that a broadcast needs.
interface Broadcaster {
    function startBroadcast() external;
    function stopBroadcast() external;
}

contract DeployVault {
    Broadcaster private constant FORGE = Broadcaster(address(uint160(uint256(keccak256("hevm cheat code")))));

    function run() external returns (Vault vault) {
        FORGE.startBroadcast();
        vault = new Vault();
        vault.deposit{value: 1 ether}();
        FORGE.stopBroadcast();
    }
}
