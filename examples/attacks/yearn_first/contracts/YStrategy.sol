// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
}

contract YStrategy {
    address public immutable vault;
    IToken public immutable want;

    constructor(address vault_, IToken want_) {
        (vault, want) = (vault_, want_);
    }

    function withdraw(uint256 amount) external {
        require(msg.sender == vault);
        want.transfer(vault, amount);
    }
}
