// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TickMath} from "./TickMath.sol";

/// @title Which ticks are initialised, 256 to a word
library TickMap {
    /// @notice Turns the bit of a tick over. `index` is the tick divided by the spacing.
    function flip(mapping(int16 word => uint256) storage map, int24 index) internal {
        unchecked {
            map[int16(index >> 8)] ^= 1 << uint8(uint24(index));
        }
    }

    /// @notice The nearest initialised index at or below `index` (`down`), or above it, as far as the word goes; where
    /// there is none, the last index of the word and `false`.
    function next(mapping(int16 word => uint256) storage map, int24 index, bool down)
        internal
        view
        returns (int24 found, bool initialised)
    {
        unchecked {
            if (!down) ++index;
            uint256 position = uint8(uint24(index));
            uint256 word = map[int16(index >> 8)];
            if (down) {
                word &= type(uint256).max >> (255 - position);
                initialised = word != 0;
                uint256 back = initialised ? position - TickMath.highestBit(word) : position;
                return (index - int24(uint24(back)), initialised);
            }
            word &= type(uint256).max << position;
            initialised = word != 0;
            uint256 ahead = (initialised ? TickMath.highestBit(word & (~word + 1)) : 255) - position;
            return (index + int24(uint24(ahead)), initialised);
        }
    }
}
