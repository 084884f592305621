// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PlainToken} from "./PlainToken.sol";
import {ISwapper, Pool} from "./Pool.sol";

/// @title Swaps on behalf of accounts that have allowed it to spend their tokens
contract Router is ISwapper {
    struct ExactInput {
        Pool pool;
        bool zeroForOne;
        address recipient;
        uint256 deadline;
        uint256 amountIn;
        uint256 amountOutMinimum;
        uint160 sqrtPriceLimitX96;
    }

    struct ExactOutput {
        Pool pool;
        bool zeroForOne;
        address recipient;
        uint256 deadline;
        uint256 amountOut;
        uint256 amountInMaximum;
        uint160 sqrtPriceLimitX96;
    }

    /// @dev The pool that is being traded with: nobody else may ask for payment.
    address private transient _pool;

    error TooLate(uint256 deadline, uint256 timestamp);
    error TooLittle(uint256 amountOut, uint256 amountOutMinimum);
    error TooMuch(uint256 amountIn, uint256 amountInMaximum);
    error AmountTooLarge(uint256 amount);
    error NotThePool(address sender);

    modifier inTime(uint256 deadline) {
        require(block.timestamp <= deadline, TooLate(deadline, block.timestamp));
        _;
    }

    /// @notice Puts `amountIn` into one pool and answers what came out.
    function exactInputSingle(ExactInput calldata order) external inTime(order.deadline) returns (uint256 amountOut) {
        int256 amount = _signed(order.amountIn);
        (, amountOut) = _swap(order.pool, order.zeroForOne, order.recipient, amount, order.sqrtPriceLimitX96);
        require(amountOut >= order.amountOutMinimum, TooLittle(amountOut, order.amountOutMinimum));
    }

    /// @notice Takes `amountOut` out of one pool and answers what it cost.
    function exactOutputSingle(ExactOutput calldata order) external inTime(order.deadline) returns (uint256 amountIn) {
        int256 amount = -_signed(order.amountOut);
        uint256 amountOut;
        (amountIn, amountOut) = _swap(order.pool, order.zeroForOne, order.recipient, amount, order.sqrtPriceLimitX96);
        require(amountOut == order.amountOut, TooLittle(amountOut, order.amountOut));
        require(amountIn <= order.amountInMaximum, TooMuch(amountIn, order.amountInMaximum));
    }

    function onSwap(int256 amount0, int256 amount1, bytes calldata data) external {
        require(msg.sender == _pool, NotThePool(msg.sender));
        (address payer, PlainToken tokenIn) = abi.decode(data, (address, PlainToken));
        tokenIn.transferFrom(payer, msg.sender, uint256(amount0 > 0 ? amount0 : amount1));
    }

    function _swap(Pool pool, bool zeroForOne, address recipient, int256 amount, uint160 limit)
        private
        returns (uint256 amountIn, uint256 amountOut)
    {
        PlainToken tokenIn = zeroForOne ? pool.token0() : pool.token1();
        _pool = address(pool);
        (int256 amount0, int256 amount1) =
            pool.swap(recipient, zeroForOne, amount, limit, abi.encode(msg.sender, tokenIn));
        _pool = address(0);
        return zeroForOne ? (uint256(amount0), uint256(-amount1)) : (uint256(amount1), uint256(-amount0));
    }

    function _signed(uint256 amount) private pure returns (int256) {
        require(amount <= uint256(type(int256).max), AmountTooLarge(amount));
        return int256(amount);
    }
}
