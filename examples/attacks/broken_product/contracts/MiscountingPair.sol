// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Pair} from "../../shared/contracts/Pair.sol";
import {Token} from "../../shared/contracts/Token.sol";

/// @title A pair whose author raised the precision of fees on one side of the comparison only
contract MiscountingPair is Pair {
    constructor(Token token0_, Token token1_) Pair(token0_, token1_) {}

    function _product(uint256 balance0, uint256 in0, uint256 balance1, uint256 in1) internal view override returns (bool) {
        uint256 scaled0 = balance0 * 10_000 - in0 * 16;
        uint256 scaled1 = balance1 * 10_000 - in1 * 16;
        return scaled0 * scaled1 >= uint256(reserve0) * reserve1 * 1000 ** 2;
    }
}
