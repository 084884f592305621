// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FlashLender, IFlashBorrower} from "./FlashLender.sol";
import {Token} from "./Token.sol";

/// @title An account in code for anybody's use: batches calls, takes every kind of token, borrows in a flash
/// @dev What it holds after a call belongs to nobody, as with routers; users send and sweep in one batch.
contract Wallet is IFlashBorrower {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    event Received(address from, uint256 amount);

    function batch(Call[] memory calls) public payable {
        for (uint256 i; i < calls.length; i++) {
            (bool done, bytes memory reason) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) {
                assembly {
                    revert(add(reason, 32), mload(reason))
                }
            }
        }
    }

    function flash(FlashLender lender, Token token, uint256 amount, Call[] calldata calls) external {
        token.transferFrom(msg.sender, address(this), amount * 9 / 10_000);
        lender.flashLoan(this, token, amount, abi.encode(calls));
    }

    function onFlashLoan(Token token, uint256 amount, uint256 fee, bytes calldata data) external {
        batch(abi.decode(data, (Call[])));
        token.transfer(msg.sender, amount + fee);
    }

    function sweep(address payable to) external {
        (bool paid,) = to.call{value: address(this).balance}("");
        require(paid, "not paid");
    }

    function sweepToken(Token token, address to) external {
        token.transfer(to, token.balanceOf(address(this)));
    }

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    receive() external payable {
        emit Received(msg.sender, msg.value);
    }
}
