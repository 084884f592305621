// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract GoodBip {
    function init() external {}
}
