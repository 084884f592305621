// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IPair {
    function sell(address token, address to) external returns (uint256);
    function mint(address to) external returns (uint256);
    function burn(address to) external returns (uint256, uint256);
    function token0() external view returns (address);
    function token1() external view returns (address);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function getReserves() external view returns (uint112, uint112, uint32);
}

/// The router of pairs.
contract Swapper {
    function swapExactTokens(address pair, address token, uint256 amount, uint256 least, address to) external {
        IToken(token).transferFrom(msg.sender, pair, amount);
        require(IPair(pair).sell(token, to) >= least, "slippage");
    }

    function addLiquidity(address pair, uint256 amount0, address to) external {
        (uint112 r0, uint112 r1,) = IPair(pair).getReserves();
        IToken(IPair(pair).token0()).transferFrom(msg.sender, pair, amount0);
        IToken(IPair(pair).token1()).transferFrom(msg.sender, pair, r0 == 0 ? amount0 : amount0 * r1 / r0 + 1);
        IPair(pair).mint(to);
    }

    function removeLiquidity(address pair, uint256 liquidity, address to) external {
        IPair(pair).transferFrom(msg.sender, pair, liquidity);
        IPair(pair).burn(to);
    }
}
