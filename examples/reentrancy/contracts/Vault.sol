// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title An ether vault with the oldest flaw there is
/// @dev `withdraw` pays before it updates the balance, so the one who is paid can call it again and be paid again.
contract Vault {
    address public owner;
    mapping(address account => uint256) public balanceOf;

    event Deposited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);

    error NothingToWithdraw(address account);
    error PaymentFailed(address account, uint256 amount);

    constructor() {
        owner = msg.sender;
    }

    /// @notice Adds the ether sent to the sender's balance.
    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.value);
    }

    /// @notice Pays the sender's whole balance out.
    function withdraw() external {
        uint256 amount = balanceOf[msg.sender];
        require(amount != 0, NothingToWithdraw(msg.sender));
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, PaymentFailed(msg.sender, amount));
        balanceOf[msg.sender] = 0;
        emit Withdrawn(msg.sender, amount);
    }
}
