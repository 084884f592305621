// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

interface IHook {
    function tokensToSend(address operator, address from, address to, uint256 amount, bytes calldata, bytes calldata)
        external;
}

/// @title A token that tells its holder before it takes from him, if he wants to be told (after ERC-777)
contract HookToken is Token {
    mapping(address account => bool) public wantsToBeTold;

    function tellMe() external {
        wantsToBeTold[msg.sender] = true;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (wantsToBeTold[from]) IHook(from).tokensToSend(msg.sender, from, to, amount, "", "");
        super._move(from, to, amount);
    }
}
