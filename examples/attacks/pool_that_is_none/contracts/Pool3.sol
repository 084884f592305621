// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ICallback {
    function uniswapV3SwapCallback(int256 d0, int256 d1, bytes calldata data) external;
}

/// A pool with one to one prices and the callback of the third version.
contract Pool3 {
    IToken public immutable token0;
    IToken public immutable token1;

    constructor(IToken a, IToken b) {
        (token0, token1) = (a, b);
    }

    function swap(address recipient, bool zeroForOne, int256 amount, bytes calldata data) external returns (int256 d0, int256 d1) {
        (IToken paid, IToken got) = zeroForOne ? (token0, token1) : (token1, token0);
        int256 out = amount * 997 / 1000;
        got.transfer(recipient, uint256(out));
        (d0, d1) = zeroForOne ? (amount, -out) : (-out, amount);
        uint256 before = paid.balanceOf(address(this));
        ICallback(msg.sender).uniswapV3SwapCallback(d0, d1, data);
        require(paid.balanceOf(address(this)) >= before + uint256(amount), "IIA");
    }
}
