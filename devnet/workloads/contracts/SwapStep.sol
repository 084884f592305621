// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPoint} from "./FixedPoint.sol";

/// @title What happens between two initialised ticks, where liquidity is constant
/// @dev Every rounding is in the pool's favour. Amounts and liquidity are below 2^128, square roots of prices too.
library SwapStep {
    uint256 internal constant ONE_X96 = 1 << 96;
    /// @dev Fees are parts of a million.
    uint256 internal constant FEE_WHOLE = 1_000_000;

    struct Outcome {
        uint256 sqrtPriceX96;
        uint256 amountIn;
        uint256 amountOut;
        uint256 fee;
    }

    error LiquidityExhausted(uint256 liquidity, uint256 amount);

    /// @notice Moves the price towards `target` as far as `remaining` goes: positive, it is what may still be put in,
    /// the fee included; negative, what is still to be taken out.
    function run(uint256 price, uint256 target, uint256 liquidity, int256 remaining, uint256 feePips)
        internal
        pure
        returns (Outcome memory outcome)
    {
        bool down = target <= price;
        bool exactIn = remaining > 0;
        uint256 wanted = uint256(exactIn ? remaining : -remaining);
        if (exactIn) {
            uint256 net = FixedPoint.mulDiv(wanted, FEE_WHOLE - feePips, FEE_WHOLE);
            uint256 full = amountIn(price, target, liquidity, down);
            outcome.sqrtPriceX96 = net >= full ? target : priceAfterInput(price, liquidity, net, down);
        } else {
            uint256 full = amountOut(price, target, liquidity, down);
            outcome.sqrtPriceX96 = wanted >= full ? target : priceAfterOutput(price, liquidity, wanted, down);
        }
        outcome.amountIn = amountIn(price, outcome.sqrtPriceX96, liquidity, down);
        outcome.amountOut = amountOut(price, outcome.sqrtPriceX96, liquidity, down);
        if (!exactIn && outcome.amountOut > wanted) outcome.amountOut = wanted;
        // Where the input ends on the way, what is left of it is the fee.
        outcome.fee = exactIn && outcome.sqrtPriceX96 != target
            ? wanted - outcome.amountIn
            : FixedPoint.mulDivUp(outcome.amountIn, feePips, FEE_WHOLE - feePips);
    }

    /// @notice What moving the price from `from` to `to` takes of the token that is put in.
    function amountIn(uint256 from, uint256 to, uint256 liquidity, bool down) internal pure returns (uint256) {
        return down ? amount0Up(to, from, liquidity) : FixedPoint.mulDivUp(liquidity, to - from, ONE_X96);
    }

    /// @notice What moving the price from `from` to `to` sets free of the other token.
    function amountOut(uint256 from, uint256 to, uint256 liquidity, bool down) internal pure returns (uint256) {
        return down
            ? FixedPoint.mulDiv(liquidity, from - to, ONE_X96)
            : FixedPoint.mulDiv(liquidity << 96, to - from, to) / from;
    }

    /// @notice liquidity * (1 / low - 1 / high), rounded up.
    function amount0Up(uint256 low, uint256 high, uint256 liquidity) internal pure returns (uint256) {
        return FixedPoint.divUp(FixedPoint.mulDivUp(liquidity << 96, high - low, high), low);
    }

    function priceAfterInput(uint256 price, uint256 liquidity, uint256 amount, bool down)
        private
        pure
        returns (uint256)
    {
        if (!down) return price + (amount << 96) / liquidity;
        uint256 scaled = liquidity << 96;
        return FixedPoint.mulDivUp(scaled, price, scaled + amount * price);
    }

    function priceAfterOutput(uint256 price, uint256 liquidity, uint256 amount, bool down)
        private
        pure
        returns (uint256)
    {
        if (down) return price - FixedPoint.divUp(amount << 96, liquidity);
        uint256 scaled = liquidity << 96;
        uint256 taken = amount * price;
        require(taken < scaled, LiquidityExhausted(liquidity, amount));
        return FixedPoint.mulDivUp(scaled, price, scaled - taken);
    }
}
