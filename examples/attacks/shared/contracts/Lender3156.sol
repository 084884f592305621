// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IBorrower {
    function onFlashLoan(address initiator, address token, uint256 amount, uint256 fee, bytes calldata data) external returns (bytes32);
}

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// ERC-3156 flash loans at nine basis points.
contract Lender3156 {
    function flashFee(address, uint256 amount) public pure returns (uint256) {
        return amount * 9 / 10_000;
    }

    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool) {
        uint256 fee = flashFee(token, amount);
        IToken(token).transfer(receiver, amount);
        require(IBorrower(receiver).onFlashLoan(msg.sender, token, amount, fee, data) == keccak256("ERC3156FlashBorrower.onFlashLoan"));
        require(IToken(token).transferFrom(receiver, address(this), amount + fee));
        return true;
    }
}
