// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Products and quotients of 256-bit words that keep all 512 bits in between
library FixedPoint {
    error QuotientTooLarge(uint256 a, uint256 b, uint256 divisor);

    /// @notice floor(a * b / divisor). Reverts when that has more than 256 bits, or the divisor is zero.
    function mulDiv(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256 quotient) {
        (uint256 high, uint256 low) = product(a, b);
        require(high < divisor, QuotientTooLarge(a, b, divisor));
        if (high == 0) return low / divisor;
        unchecked {
            // What the quotient leaves over is taken off first; from then on the division is exact.
            uint256 rest = mulmod(a, b, divisor);
            if (rest > low) high -= 1;
            low -= rest;
            // An even divisor has no inverse modulo 2^256: its power of two goes out of both sides.
            uint256 twos = divisor & (~divisor + 1);
            divisor /= twos;
            low /= twos;
            // 2^256 / twos, which is zero in a word when twos is one: then nothing of `high` comes down.
            low |= high * ((~twos + 1) / twos + 1);
            // Newton's iteration doubles the low bits of the inverse that are right: 5, 10, 20, 40, 80, 160, 320.
            uint256 inverse = (3 * divisor) ^ 2;
            inverse *= 2 - divisor * inverse;
            inverse *= 2 - divisor * inverse;
            inverse *= 2 - divisor * inverse;
            inverse *= 2 - divisor * inverse;
            inverse *= 2 - divisor * inverse;
            inverse *= 2 - divisor * inverse;
            return low * inverse;
        }
    }

    /// @notice ceil(a * b / divisor), with the limits of `mulDiv`.
    function mulDivUp(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256 quotient) {
        quotient = mulDiv(a, b, divisor);
        if (mulmod(a, b, divisor) != 0) quotient += 1;
    }

    /// @notice ceil(a / divisor).
    function divUp(uint256 a, uint256 divisor) internal pure returns (uint256 quotient) {
        quotient = a / divisor;
        if (a % divisor != 0) quotient += 1;
    }

    /// @dev a * b = high * 2^256 + low: the product modulo 2^256 - 1 and modulo 2^256 differ by `high`, and by one more
    /// where the difference borrows.
    function product(uint256 a, uint256 b) private pure returns (uint256 high, uint256 low) {
        unchecked {
            uint256 folded = mulmod(a, b, type(uint256).max);
            low = a * b;
            high = folded - low;
            if (folded < low) high -= 1;
        }
    }
}
