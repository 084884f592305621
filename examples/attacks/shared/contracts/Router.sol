// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Pair} from "./Pair.sol";
import {Token} from "./Token.sol";

/// @title Swaps for others along a path of pairs, and gives liquidity for them
contract Router {
    function swapExactIn(Token tokenIn, Pair[] calldata path, uint256 amountIn, uint256 amountOutMin, address to)
        external
        returns (uint256 amount)
    {
        tokenIn.transferFrom(msg.sender, address(path[0]), amountIn);
        amount = amountIn;
        for (uint256 hop; hop < path.length; hop++) {
            bool forward = path[hop].token0() == tokenIn;
            amount = quote(path[hop], forward, amount);
            address next = hop + 1 < path.length ? address(path[hop + 1]) : to;
            path[hop].swap(forward ? 0 : amount, forward ? amount : 0, next, "");
            tokenIn = forward ? path[hop].token1() : path[hop].token0();
        }
        require(amount >= amountOutMin, "too little");
    }

    function quote(Pair pair, bool forward, uint256 amountIn) public view returns (uint256) {
        (uint256 reserveIn, uint256 reserveOut) =
            forward ? (pair.reserve0(), pair.reserve1()) : (pair.reserve1(), pair.reserve0());
        return amountIn * 997 * reserveOut / (reserveIn * 1000 + amountIn * 997);
    }

    function addLiquidity(Pair pair, uint256 amount0, address to) external {
        uint256 amount1 = pair.totalSupply() == 0 ? amount0 : amount0 * pair.reserve1() / pair.reserve0() + 1;
        pair.token0().transferFrom(msg.sender, address(pair), amount0);
        pair.token1().transferFrom(msg.sender, address(pair), amount1);
        pair.mint(to);
    }
}
