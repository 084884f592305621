// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPacks {
    function take(address from, uint256 id, uint256 count) external;
}

/// Pays ether for tickets.
contract TicketDesk {
    IPacks public immutable packs;

    constructor(IPacks packs_) payable {
        packs = packs_;
    }

    receive() external payable {}

    function redeem(uint256 id, uint256 count) external {
        packs.take(msg.sender, id, count);
        (bool sent,) = msg.sender.call{value: count * 1 ether}("");
        require(sent);
    }
}
