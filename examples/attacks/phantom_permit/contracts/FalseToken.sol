// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IWeth {
    function transfer(address to, uint256 value) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

/// Passes for a wrapping: what comes is its maker's.
contract FalseToken {
    address public immutable underlying;
    address private immutable maker = msg.sender;

    constructor(address underlying_) {
        underlying = underlying_;
    }

    function depositVault(uint256 amount, address) external returns (uint256) {
        IWeth(underlying).transfer(maker, amount);
        return amount;
    }

    function burn(address, uint256) external pure returns (bool) {
        return true;
    }
}
