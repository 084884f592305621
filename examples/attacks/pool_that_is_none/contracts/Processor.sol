// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IPool3 {
    function swap(address recipient, bool zeroForOne, int256 amount, bytes calldata data) external returns (int256, int256);
}

/// Walks routes of concentrated pools, which ask for their payment by a callback.
contract Processor {
    address private lastCalledPool;

    function processRoute(address pool, bool zeroForOne, address tokenIn, uint256 amount, address to) external {
        lastCalledPool = pool;
        IPool3(pool).swap(to, zeroForOne, int256(amount), abi.encode(tokenIn, msg.sender));
        require(lastCalledPool == address(1), "no callback");
    }

    function uniswapV3SwapCallback(int256 d0, int256 d1, bytes calldata data) external {
        require(msg.sender == lastCalledPool, "pool");
        lastCalledPool = address(1);
        (address token, address from) = abi.decode(data, (address, address));
        IToken(token).transferFrom(from, msg.sender, uint256(d0 > 0 ? d0 : d1));
    }
}
