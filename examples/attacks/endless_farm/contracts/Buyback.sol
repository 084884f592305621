// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ICover {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Pays a thousandth of an ether for a token.
contract Buyback {
    ICover private immutable cover;

    constructor(ICover cover_) payable {
        cover = cover_;
    }

    function sell(uint256 amount) external {
        cover.transferFrom(msg.sender, address(this), amount);
        payable(msg.sender).transfer(amount / 1000);
    }
}
