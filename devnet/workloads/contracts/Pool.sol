// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FixedPoint} from "./FixedPoint.sol";
import {PlainToken} from "./PlainToken.sol";
import {SwapStep} from "./SwapStep.sol";
import {TickMap} from "./TickMap.sol";
import {TickMath} from "./TickMath.sol";

/// @notice Whoever swaps pays when the pool asks.
interface ISwapper {
    /// @dev Positive amounts are owed to the pool, negative ones were paid out.
    function onSwap(int256 amount0, int256 amount1, bytes calldata data) external;
}

/// @title A market of two tokens with concentrated liquidity, made to be traded against by workloads
/// @dev What a swap does is what swaps on mainnet do: it walks over initialised ticks, accounts fees for those who
/// provide liquidity, notes the price's history, and moves both tokens. Liquidity can be added and never withdrawn.
/// The generator of workloads copies a pool's storage and exchanges its tokens: they stay in slots 0 and 1, and nothing
/// here is immutable.
contract Pool {
    using TickMap for mapping(int16 word => uint256);

    struct Slot {
        uint160 sqrtPriceX96;
        int24 tick;
        uint16 observation;
        bool entered;
    }

    struct Tick {
        /// @dev Of all positions that begin or end here; zero where the tick is not initialised.
        uint128 gross;
        /// @dev Joins when the price rises over the tick, leaves when it falls below.
        int128 net;
        /// @dev Fees by unit of liquidity on the side of the tick where the price is not.
        uint256 feesOutside0X128;
        uint256 feesOutside1X128;
    }

    struct Observation {
        uint32 timestamp;
        int64 tickSeconds;
        uint128 volume1;
    }

    /// @dev What a swap carries from step to step.
    struct Walk {
        uint256 price;
        int24 tick;
        uint256 liquidity;
        int256 remaining;
        int256 counted;
        uint256 feesX128;
    }

    uint24 public constant FEE_PIPS = 3_000;
    int24 public constant TICK_SPACING = 60;
    uint16 public constant OBSERVATIONS = 8;

    PlainToken public token0;
    PlainToken public token1;
    Slot public slot;
    uint128 public liquidity;
    uint256 public fees0X128;
    uint256 public fees1X128;
    mapping(int24 tick => Tick) public ticks;
    mapping(int16 word => uint256) private _tickMap;
    mapping(bytes32 position => uint128) public liquidityOf;
    Observation[OBSERVATIONS] public observations;

    event Added(address indexed provider, int24 indexed low, int24 indexed high, uint128 liquidity);
    event Swapped(
        address indexed sender,
        address indexed recipient,
        int256 amount0,
        int256 amount1,
        uint160 sqrtPriceX96,
        uint128 liquidity,
        int24 tick
    );

    error Entered();
    error NothingToSwap();
    error AmountTooLarge(int256 amount);
    error LimitOnTheWrongSide(uint160 limit, uint160 sqrtPriceX96);
    error BadRange(int24 low, int24 high);
    error NotPaid(PlainToken token, uint256 expected, uint256 actual);

    constructor(PlainToken first, PlainToken second, uint160 sqrtPriceX96) {
        token0 = first;
        token1 = second;
        slot = Slot(sqrtPriceX96, TickMath.tickAt(sqrtPriceX96), 0, false);
        observations[0].timestamp = uint32(block.timestamp);
    }

    /// @notice Adds liquidity between two ticks; the sender pays, having allowed it.
    function add(int24 low, int24 high, uint128 amount) external returns (uint256 amount0, uint256 amount1) {
        require(!slot.entered, Entered());
        require(low < high && low % TICK_SPACING == 0 && high % TICK_SPACING == 0 && amount != 0, BadRange(low, high));
        _bound(low, amount, int128(amount));
        _bound(high, amount, -int128(amount));
        liquidityOf[keccak256(abi.encode(msg.sender, low, high))] += amount;
        (amount0, amount1) = _worth(TickMath.sqrtPriceAt(low), TickMath.sqrtPriceAt(high), amount);
        if (slot.tick >= low && slot.tick < high) liquidity += amount;
        if (amount0 > 0) token0.transferFrom(msg.sender, address(this), amount0);
        if (amount1 > 0) token1.transferFrom(msg.sender, address(this), amount1);
        emit Added(msg.sender, low, high, amount);
    }

    /// @notice Swaps token0 for token1, or the other way round, until the amount or the limit is reached.
    /// @param amount Positive: what is put in. Negative: what is taken out.
    /// @param limit Square root of the price that is not passed.
    /// @param data Handed on to the sender's `onSwap`.
    /// @return amount0 Change of the pool's balance of token0.
    /// @return amount1 Change of the pool's balance of token1.
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1)
    {
        Slot memory start = slot;
        require(!start.entered, Entered());
        require(amount != 0, NothingToSwap());
        require(amount < 1 << 127 && amount > -(1 << 127), AmountTooLarge(amount));
        require(
            zeroForOne
                ? limit < start.sqrtPriceX96 && limit >= TickMath.SQRT_PRICE_MIN
                : limit > start.sqrtPriceX96 && limit < TickMath.SQRT_PRICE_MAX,
            LimitOnTheWrongSide(limit, start.sqrtPriceX96)
        );
        slot.entered = true;
        Walk memory walk = _walk(start, zeroForOne, amount, limit);
        int256 specified = amount - walk.remaining;
        (amount0, amount1) = zeroForOne == (amount > 0) ? (specified, walk.counted) : (walk.counted, specified);
        uint16 observation = _observe(start, amount1);
        _settle(recipient, zeroForOne, amount0, amount1, data);
        slot = Slot(uint160(walk.price), walk.tick, observation, false);
        emit Swapped(
            msg.sender, recipient, amount0, amount1, uint160(walk.price), uint128(walk.liquidity), walk.tick
        );
    }

    function _walk(Slot memory start, bool down, int256 amount, uint256 limit) private returns (Walk memory walk) {
        walk = Walk(start.sqrtPriceX96, start.tick, liquidity, amount, 0, down ? fees0X128 : fees1X128);
        uint256 liquidityBefore = walk.liquidity;
        while (walk.remaining != 0 && walk.price != limit) {
            (int24 nextTick, bool initialised) = _nextTick(walk.tick, down);
            uint256 boundary = TickMath.sqrtPriceAt(nextTick);
            _step(walk, (down ? boundary < limit : boundary > limit) ? limit : boundary);
            if (walk.price == boundary) {
                if (initialised) _cross(walk, nextTick, down);
                walk.tick = down ? nextTick - 1 : nextTick;
            } else {
                walk.tick = TickMath.tickAt(walk.price);
            }
        }
        if (walk.liquidity != liquidityBefore) liquidity = uint128(walk.liquidity);
        if (down) fees0X128 = walk.feesX128;
        else fees1X128 = walk.feesX128;
    }

    function _step(Walk memory walk, uint256 target) private pure {
        SwapStep.Outcome memory outcome =
            SwapStep.run(walk.price, target, walk.liquidity, walk.remaining, FEE_PIPS);
        walk.price = outcome.sqrtPriceX96;
        if (walk.remaining > 0) {
            walk.remaining -= int256(outcome.amountIn + outcome.fee);
            walk.counted -= int256(outcome.amountOut);
        } else {
            walk.remaining += int256(outcome.amountOut);
            walk.counted += int256(outcome.amountIn + outcome.fee);
        }
        unchecked {
            // Differences of this sum are what counts; it may wrap.
            if (walk.liquidity > 0) walk.feesX128 += FixedPoint.mulDiv(outcome.fee, 1 << 128, walk.liquidity);
        }
    }

    /// @dev From here on the price is on the other side of the tick, and so is what lies outside.
    function _cross(Walk memory walk, int24 tick, bool down) private {
        Tick storage crossed = ticks[tick];
        (uint256 all0, uint256 all1) = down ? (walk.feesX128, fees1X128) : (fees0X128, walk.feesX128);
        unchecked {
            crossed.feesOutside0X128 = all0 - crossed.feesOutside0X128;
            crossed.feesOutside1X128 = all1 - crossed.feesOutside1X128;
        }
        int256 joining = down ? -int256(crossed.net) : int256(crossed.net);
        walk.liquidity = uint256(int256(walk.liquidity) + joining);
    }

    function _nextTick(int24 tick, bool down) private view returns (int24 nextTick, bool initialised) {
        unchecked {
            int24 index = tick / TICK_SPACING;
            if (tick < 0 && tick % TICK_SPACING != 0) --index;
            (index, initialised) = _tickMap.next(index, down);
            nextTick = index * TICK_SPACING;
            if (nextTick < -TickMath.TICK_MAX) nextTick = -TickMath.TICK_MAX;
            if (nextTick > TickMath.TICK_MAX) nextTick = TickMath.TICK_MAX;
        }
    }

    /// @dev Once per block the ring moves on; within a block the volume adds up in place.
    function _observe(Slot memory start, int256 amount1) private returns (uint16 index) {
        Observation memory last = observations[start.observation];
        index = start.observation;
        unchecked {
            uint32 elapsed = uint32(block.timestamp) - last.timestamp;
            if (elapsed != 0) index = (index + 1) % OBSERVATIONS;
            last.timestamp += elapsed;
            last.tickSeconds += int64(start.tick) * int64(uint64(elapsed));
            last.volume1 += uint128(uint256(amount1 < 0 ? -amount1 : amount1));
        }
        observations[index] = last;
    }

    /// @dev Pays out first and asks for payment afterwards: only the balance decides whether it was made.
    function _settle(address recipient, bool zeroForOne, int256 amount0, int256 amount1, bytes calldata data) private {
        PlainToken tokenIn = zeroForOne ? token0 : token1;
        (int256 owed, int256 paid) = zeroForOne ? (amount0, -amount1) : (amount1, -amount0);
        if (paid > 0) (zeroForOne ? token1 : token0).transfer(recipient, uint256(paid));
        uint256 expected = tokenIn.balanceOf(address(this)) + uint256(owed);
        ISwapper(msg.sender).onSwap(amount0, amount1, data);
        uint256 actual = tokenIn.balanceOf(address(this));
        require(actual >= expected, NotPaid(tokenIn, expected, actual));
    }

    function _bound(int24 index, uint128 amount, int128 net) private {
        Tick storage tick = ticks[index];
        if (tick.gross == 0) {
            _tickMap.flip(index / TICK_SPACING);
            // By convention all that happened so far happened below.
            if (index <= slot.tick) (tick.feesOutside0X128, tick.feesOutside1X128) = (fees0X128, fees1X128);
        }
        tick.gross += amount;
        tick.net += net;
    }

    function _worth(uint256 low, uint256 high, uint256 amount) private view returns (uint256 amount0, uint256 amount1) {
        uint256 price = slot.sqrtPriceX96;
        if (price < high) amount0 = SwapStep.amount0Up(price > low ? price : low, high, amount);
        if (price > low) amount1 = FixedPoint.mulDivUp(amount, (price < high ? price : high) - low, SwapStep.ONE_X96);
    }
}
