// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Keeps liquidity tokens locked till a date. Anybody may tell it of a migration of the token.
contract Locker {
    struct Lock {
        uint256 amount;
        uint256 until;
    }

    address private _token;
    mapping(address => Lock) public locks;

    event Migrated(address from, address to);

    constructor(address token_) {
        _token = token_;
    }

    function token() external view returns (address) {
        return _token;
    }

    function lock(uint256 amount, uint256 forSeconds) external {
        IToken(_token).transferFrom(msg.sender, address(this), amount);
        locks[msg.sender].amount += amount;
        locks[msg.sender].until = block.timestamp + forSeconds;
    }

    function unlock() external {
        Lock memory mine = locks[msg.sender];
        require(block.timestamp >= mine.until, "locked");
        delete locks[msg.sender];
        IToken(_token).transfer(msg.sender, mine.amount);
    }

    /// All of the old goes to the migrating contract, which is to have sent as much of the new.
    function migrate(address to) external {
        address from = _token;
        _token = to;
        emit Migrated(from, to);
    }
}
