// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Attacker} from "./Attacker.sol";
import {Vault} from "./Vault.sol";

/// @title The attack as a side effect of a deployment: the transaction calls no contract that existed before
contract AttackerFromConstructor {
    Attacker public immutable attacker;

    constructor(Vault vault) payable {
        attacker = new Attacker(vault);
        attacker.attack{value: msg.value}();
    }

    function loot() external view returns (uint256) {
        return attacker.loot();
    }
}
