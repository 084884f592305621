// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {PledgeDesk} from "./PledgeDesk.sol";

/// @title Lends ether against what lies at a desk; locked against re-entry itself, but pays before it writes the debt down
contract EtherMarket {
    PledgeDesk public immutable desk;
    mapping(address account => uint256) public debt;
    uint256 private open = 1;

    modifier once() {
        require(open == 1, "open");
        open = 2;
        _;
        open = 1;
    }

    constructor(PledgeDesk desk_) payable {
        desk = desk_;
        desk_.open(this);
    }

    function borrowable(address account) public view returns (uint256) {
        uint256 limit = desk.pledged(account) * 70 / 100;
        return limit > debt[account] ? limit - debt[account] : 0;
    }

    function borrow(uint256 amount) external once {
        require(amount <= borrowable(msg.sender), "not covered");
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
        debt[msg.sender] += amount;
    }

    function repay() external payable once {
        uint256 owed = debt[msg.sender];
        uint256 paid = msg.value < owed ? msg.value : owed;
        debt[msg.sender] = owed - paid;
        (bool returned,) = msg.sender.call{value: msg.value - paid}("");
        require(returned, "not returned");
    }
}
