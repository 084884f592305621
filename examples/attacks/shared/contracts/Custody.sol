// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "./Token.sol";

/// @title Keeps a token for others; whoever initialises it owns it, and nothing keeps anybody from doing it again
contract Custody {
    address public owner;
    Token public asset;
    mapping(address account => uint256) public balanceOf;

    event OwnershipTransferred(address indexed before, address indexed after_);

    function initialize(address owner_, Token asset_) external {
        emit OwnershipTransferred(owner, owner_);
        owner = owner_;
        asset = asset_;
    }

    function deposit(uint256 amount) external {
        asset.transferFrom(msg.sender, address(this), amount);
        balanceOf[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        asset.transfer(msg.sender, amount);
    }

    function transferOwnership(address next) external {
        require(msg.sender == owner, "not the owner");
        emit OwnershipTransferred(owner, next);
        owner = next;
    }

    /// @notice What the owner does in an emergency.
    function rescue(Token token, address to, uint256 amount) external {
        require(msg.sender == owner, "not the owner");
        token.transfer(to, amount);
    }
}
