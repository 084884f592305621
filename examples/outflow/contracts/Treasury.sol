// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "./Token.sol";

/// @title A treasury whose author forgot who may pay from it
/// @dev `payToken` and `payEther` lack the owner check that `approveSpender` has. Only a guard on its outflow
/// stands between a stranger and the funds.
contract Treasury {
    address public immutable owner;

    event TokenPaid(Token indexed token, address indexed to, uint256 amount);
    event EtherPaid(address indexed to, uint256 amount);

    error NotOwner(address sender);
    error PaymentFailed(address to, uint256 amount);

    constructor() payable {
        owner = msg.sender;
    }

    function payToken(Token token, address to, uint256 amount) external {
        require(token.transfer(to, amount), PaymentFailed(to, amount));
        emit TokenPaid(token, to, amount);
    }

    function payEther(address to, uint256 amount) external {
        (bool paid,) = to.call{value: amount}("");
        require(paid, PaymentFailed(to, amount));
        emit EtherPaid(to, amount);
    }

    /// @notice Lets `spender` take up to `amount` by the token's `transferFrom`, in which no treasury code runs.
    function approveSpender(Token token, address spender, uint256 amount) external {
        require(msg.sender == owner, NotOwner(msg.sender));
        require(token.approve(spender, amount), PaymentFailed(spender, amount));
    }

    receive() external payable {}
}
