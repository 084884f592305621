// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IPair {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function getReserves() external view returns (uint112, uint112, uint32);
    function swap(uint256 out0, uint256 out1, address to) external;
    function mint(address to) external returns (uint256);
}

contract UraniumRouter {
    function buy(IPair pair, bool zeroForOne, uint256 amount) external {
        (uint112 r0, uint112 r1,) = pair.getReserves();
        (uint256 a, uint256 b) = zeroForOne ? (uint256(r0), uint256(r1)) : (uint256(r1), uint256(r0));
        uint256 paid = amount * 9984;
        uint256 out = paid * b / (a * 10_000 + paid);
        IToken(zeroForOne ? pair.token0() : pair.token1()).transferFrom(msg.sender, address(pair), amount);
        pair.swap(zeroForOne ? 0 : out, zeroForOne ? out : 0, msg.sender);
    }

    function add(IPair pair, uint256 amount) external {
        (uint112 r0, uint112 r1,) = pair.getReserves();
        IToken(pair.token0()).transferFrom(msg.sender, address(pair), amount);
        IToken(pair.token1()).transferFrom(msg.sender, address(pair), amount * r1 / r0 + 1);
        pair.mint(msg.sender);
    }
}
