// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IOldStaking {
    function migrateWithdraw(address staker, uint256 amount) external;
}

/// Staking that takes over stakes of an older contract, of whichever the caller says is the older.
contract StaxStaking {
    IToken public immutable stakingToken;
    address public owner = msg.sender;
    address public migrator;
    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply;

    event Staked(address indexed user, uint256 amount);

    constructor(IToken token) {
        stakingToken = token;
    }

    function setMigrator(address m) external {
        require(msg.sender == owner);
        migrator = m;
    }

    function stake(uint256 amount) external {
        stakingToken.transferFrom(msg.sender, address(this), amount);
        _credit(msg.sender, amount);
    }

    function migrateStake(address oldStaking, uint256 amount) external {
        IOldStaking(oldStaking).migrateWithdraw(msg.sender, amount);
        _credit(msg.sender, amount);
    }

    function migrateWithdraw(address staker, uint256 amount) external {
        require(msg.sender == migrator);
        balanceOf[staker] -= amount;
        totalSupply -= amount;
        stakingToken.transfer(msg.sender, amount);
    }

    function withdrawAll() external {
        uint256 all = balanceOf[msg.sender];
        balanceOf[msg.sender] = 0;
        totalSupply -= all;
        stakingToken.transfer(msg.sender, all);
    }

    function _credit(address who, uint256 amount) private {
        balanceOf[who] += amount;
        totalSupply += amount;
        emit Staked(who, amount);
    }
}
