// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ITether {
    function transfer(address to, uint value) external;
    function transferFrom(address from, address to, uint value) external;
}

/// A farm that takes whose stake it is from the caller's word, and pays to the caller.
contract OpenVault {
    struct UserInfo {
        uint256 amount;
        uint256 rewardDebt;
    }

    ITether public immutable usdt;
    mapping(uint256 => mapping(address => UserInfo)) public userInfo;

    event Withdraw(address indexed user, uint256 indexed pid, uint256 amount);

    constructor(ITether usdt_) {
        usdt = usdt_;
    }

    function deposit(uint256 pid, uint256 amount) external {
        usdt.transferFrom(msg.sender, address(this), amount);
        userInfo[pid][msg.sender].amount += amount;
    }

    function withdrawFor(uint256 pid, address user, uint256 amount) external {
        userInfo[pid][user].amount -= amount;
        usdt.transfer(msg.sender, amount);
        emit Withdraw(user, pid, amount);
    }
}
