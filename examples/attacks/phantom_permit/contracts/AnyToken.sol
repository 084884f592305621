// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// The bridge's own wrapping of a token.
contract AnyToken {
    address public immutable underlying;

    constructor(address underlying_) {
        underlying = underlying_;
    }

    function depositVault(uint256 amount, address) external pure returns (uint256) {
        return amount;
    }

    function burn(address, uint256) external pure returns (bool) {
        return true;
    }
}
