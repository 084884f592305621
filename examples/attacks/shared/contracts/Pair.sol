// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "./Token.sol";

interface ISwapReceiver {
    function onSwap(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// @title A market of two tokens whose product of reserves does not fall, with flash swaps
contract Pair {
    Token public immutable token0;
    Token public immutable token1;
    uint112 public reserve0;
    uint112 public reserve1;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Sync(uint112 reserve0, uint112 reserve1);

    constructor(Token token0_, Token token1_) {
        token0 = token0_;
        token1 = token1_;
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, uint32(block.timestamp));
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }

    /// @notice Shares for what was sent here since the last sync.
    function mint(address to) external returns (uint256 shares) {
        uint256 amount0 = token0.balanceOf(address(this)) - reserve0;
        uint256 amount1 = token1.balanceOf(address(this)) - reserve1;
        shares = totalSupply == 0
            ? _sqrt(amount0 * amount1)
            : _min(amount0 * totalSupply / reserve0, amount1 * totalSupply / reserve1);
        require(shares != 0, "nothing given");
        totalSupply += shares;
        balanceOf[to] += shares;
        emit Transfer(address(0), to, shares);
        _sync();
    }

    /// @notice The part of the reserves that belongs to the shares that were sent here.
    function burn(address to) external {
        uint256 shares = balanceOf[address(this)];
        uint256 amount0 = shares * token0.balanceOf(address(this)) / totalSupply;
        uint256 amount1 = shares * token1.balanceOf(address(this)) / totalSupply;
        balanceOf[address(this)] = 0;
        totalSupply -= shares;
        emit Transfer(address(this), address(0), shares);
        token0.transfer(to, amount0);
        token1.transfer(to, amount1);
        _sync();
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external {
        if (amount0Out != 0) token0.transfer(to, amount0Out);
        if (amount1Out != 0) token1.transfer(to, amount1Out);
        if (data.length != 0) ISwapReceiver(to).onSwap(msg.sender, amount0Out, amount1Out, data);
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        uint256 in0 = balance0 + amount0Out > reserve0 ? balance0 + amount0Out - reserve0 : 0;
        uint256 in1 = balance1 + amount1Out > reserve1 ? balance1 + amount1Out - reserve1 : 0;
        require(in0 != 0 || in1 != 0, "nothing paid");
        require(_product(balance0, in0, balance1, in1), "the product falls");
        _sync();
    }

    /// @dev Whether the product grows by a fee of three in a thousand. A pool whose author got this wrong: `BrokenPair`.
    function _product(uint256 balance0, uint256 in0, uint256 balance1, uint256 in1) internal view virtual returns (bool) {
        uint256 scaled0 = balance0 * 1000 - in0 * 3;
        uint256 scaled1 = balance1 * 1000 - in1 * 3;
        return scaled0 * scaled1 >= uint256(reserve0) * reserve1 * 1000 ** 2;
    }

    function skim(address to) external {
        token0.transfer(to, token0.balanceOf(address(this)) - reserve0);
        token1.transfer(to, token1.balanceOf(address(this)) - reserve1);
    }

    function sync() external {
        _sync();
    }

    function _sync() internal {
        reserve0 = uint112(token0.balanceOf(address(this)));
        reserve1 = uint112(token1.balanceOf(address(this)));
        emit Sync(reserve0, reserve1);
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _sqrt(uint256 y) private pure returns (uint256 z) {
        z = y;
        for (uint256 x = y / 2 + 1; x < z; x = (y / x + x) / 2) z = x;
    }
}
