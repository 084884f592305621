// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface I721 {
    function safeTransferFrom(address from, address to, uint256 id) external;
}

/// Swaps collectibles between two who agreed. After a trade it pays royalties, to a contract that the trade names.
contract TradeDesk {
    struct Trade {
        address maker;
        address taker;
        address nft;
        uint256 gives;
        uint256 gets;
        bool open;
    }

    Trade[] public trades;

    function count() external view returns (uint256) {
        return trades.length;
    }

    function create(address taker, address nft, uint256 gives, uint256 gets) external {
        trades.push(Trade(msg.sender, taker, nft, gives, gets, true));
    }

    function close(uint256 id, address royalties, bytes calldata how) external {
        Trade storage t = trades[id];
        require(t.open && t.taker == msg.sender, "not yours");
        t.open = false;
        I721(t.nft).safeTransferFrom(t.maker, t.taker, t.gives);
        I721(t.nft).safeTransferFrom(t.taker, t.maker, t.gets);
        if (royalties != address(0)) {
            (bool done,) = royalties.call(how);
            require(done, "royalties");
        }
    }
}
