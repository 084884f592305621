// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function approve(address spender, uint256 amount) external returns (bool);
}

interface IMarkets {
    function deposit(uint256 amount) external;
    function mint(uint256 amount) external;
    function donateToReserves(uint256 amount) external;
}

/// Borrows as much as it may and gives what backs it away.
contract Violator {
    function sink(IMarkets m, IToken dai, uint256 amount) external {
        dai.approve(address(m), amount);
        m.deposit(amount);
        m.mint(amount * 18);
        m.donateToReserves(amount * 5);
    }
}
