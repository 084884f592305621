// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title From ticks to square roots of prices and back
/// @dev Tick t stands for the price 1.0001^t. A square root is kept as a whole number of 1/2^96. Ticks are bounded so
/// that prices lie between 2^-64 and 2^64, and every square root fits 128 bits.
library TickMath {
    int24 internal constant TICK_MAX = 443_636;
    /// @dev A thousandth above 2^64, so that no price lies below the lowest tick.
    uint256 internal constant SQRT_PRICE_MIN = (1 << 64) + (1 << 54);
    uint256 internal constant SQRT_PRICE_MAX = 1 << 128;

    /// @dev 2^64 divided by the binary logarithm of sqrt(1.0001).
    int256 private constant TICKS_PER_DOUBLING_X64 = 255_738_958_999_603_826_347_140;
    /// @dev Below the binary point. With so many the logarithm is short by less than a tick.
    uint256 private constant LOGARITHM_BITS = 14;
    /// @dev LOGARITHM_BITS of the logarithm leave at most this open: 2^-14 doublings, in ticks, as 1/2^64.
    int256 private constant OPEN_X64 = 15_609_067_321_753_163_230;
    /// @dev For the roundings in between; a hundredth of a tick.
    int256 private constant SLACK_X64 = 184_467_440_737_095_516;

    error TickOutOfRange(int24 tick);
    error PriceOutOfRange(uint256 sqrtPriceX96);

    /// @notice sqrt(1.0001^tick), rounded up.
    function sqrtPriceAt(int24 tick) internal pure returns (uint256) {
        require(tick >= -TICK_MAX && tick <= TICK_MAX, TickOutOfRange(tick));
        unchecked {
            uint256 steps = uint256(int256(tick < 0 ? -tick : tick));
            // 2^128 times sqrt(1.0001)^-steps, one factor for each bit that is set.
            uint256 ratio = 1 << 128;
            if (steps & 0x1 != 0) ratio = (ratio * 0xfffcb933bd6fad37aa2d162d1a594001) >> 128;
            if (steps & 0x2 != 0) ratio = (ratio * 0xfff97272373d413259a46990580e213a) >> 128;
            if (steps & 0x4 != 0) ratio = (ratio * 0xfff2e50f5f656932ef12357cf3c7fdcc) >> 128;
            if (steps & 0x8 != 0) ratio = (ratio * 0xffe5caca7e10e4e61c3624eaa0941cd0) >> 128;
            if (steps & 0x10 != 0) ratio = (ratio * 0xffcb9843d60f6159c9db58835c926644) >> 128;
            if (steps & 0x20 != 0) ratio = (ratio * 0xff973b41fa98c081472e6896dfb254c0) >> 128;
            if (steps & 0x40 != 0) ratio = (ratio * 0xff2ea16466c96a3843ec78b326b52861) >> 128;
            if (steps & 0x80 != 0) ratio = (ratio * 0xfe5dee046a99a2a811c461f1969c3053) >> 128;
            if (steps & 0x100 != 0) ratio = (ratio * 0xfcbe86c7900a88aedcffc83b479aa3a4) >> 128;
            if (steps & 0x200 != 0) ratio = (ratio * 0xf987a7253ac413176f2b074cf7815e54) >> 128;
            if (steps & 0x400 != 0) ratio = (ratio * 0xf3392b0822b70005940c7a398e4b70f3) >> 128;
            if (steps & 0x800 != 0) ratio = (ratio * 0xe7159475a2c29b7443b29c7fa6e889d9) >> 128;
            if (steps & 0x1000 != 0) ratio = (ratio * 0xd097f3bdfd2022b8845ad8f792aa5825) >> 128;
            if (steps & 0x2000 != 0) ratio = (ratio * 0xa9f746462d870fdf8a65dc1f90e061e5) >> 128;
            if (steps & 0x4000 != 0) ratio = (ratio * 0x70d869a156d2a1b890bb3df62baf32f7) >> 128;
            if (steps & 0x8000 != 0) ratio = (ratio * 0x31be135f97d08fd981231505542fcfa6) >> 128;
            if (steps & 0x10000 != 0) ratio = (ratio * 0x9aa508b5b7a84e1c677de54f3e99bc9) >> 128;
            if (steps & 0x20000 != 0) ratio = (ratio * 0x5d6af8dedb81196699c329225ee604) >> 128;
            if (steps & 0x40000 != 0) ratio = (ratio * 0x2216e584f5fa1ea926041bedfe98) >> 128;
            if (tick > 0) ratio = type(uint256).max / ratio;
            return (ratio + type(uint32).max) >> 32;
        }
    }

    /// @notice The largest tick whose square root of the price is at most the given one.
    function tickAt(uint256 sqrtPriceX96) internal pure returns (int24) {
        require(sqrtPriceX96 >= SQRT_PRICE_MIN && sqrtPriceX96 < SQRT_PRICE_MAX, PriceOutOfRange(sqrtPriceX96));
        unchecked {
            int256 ticksX64 = (logarithmX64(sqrtPriceX96) * TICKS_PER_DOUBLING_X64) >> 64;
            int24 low = int24((ticksX64 - SLACK_X64) >> 64);
            int24 high = int24((ticksX64 + OPEN_X64 + SLACK_X64) >> 64);
            if (low == high) return low;
            if (high > TICK_MAX) return low;
            return sqrtPriceAt(high) <= sqrtPriceX96 ? high : low;
        }
    }

    /// @dev The binary logarithm of sqrtPriceX96 / 2^96, as 1/2^64, rounded down to LOGARITHM_BITS.
    function logarithmX64(uint256 sqrtPriceX96) private pure returns (int256 logarithm) {
        unchecked {
            uint256 whole = highestBit(sqrtPriceX96);
            logarithm = (int256(whole) - 96) << 64;
            // Between 1 and 2, as 1/2^127. Squaring it doubles its logarithm, whose whole part is the next bit.
            uint256 fraction = sqrtPriceX96 << (127 - whole);
            for (uint256 bit = 63; bit > 63 - LOGARITHM_BITS; --bit) {
                fraction = (fraction * fraction) >> 127;
                uint256 carry = fraction >> 128;
                logarithm |= int256(carry << bit);
                fraction >>= carry;
            }
        }
    }

    /// @dev The position of the highest bit that is set; zero for zero.
    function highestBit(uint256 value) internal pure returns (uint256 position) {
        unchecked {
            if (value >> 128 != 0) (value, position) = (value >> 128, 128);
            if (value >> 64 != 0) (value, position) = (value >> 64, position + 64);
            if (value >> 32 != 0) (value, position) = (value >> 32, position + 32);
            if (value >> 16 != 0) (value, position) = (value >> 16, position + 16);
            if (value >> 8 != 0) (value, position) = (value >> 8, position + 8);
            if (value >> 4 != 0) (value, position) = (value >> 4, position + 4);
            if (value >> 2 != 0) (value, position) = (value >> 2, position + 2);
            if (value >> 1 != 0) position += 1;
        }
    }
}
