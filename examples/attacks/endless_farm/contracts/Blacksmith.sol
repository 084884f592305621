// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface ICover {
    function mint(address to, uint256 amount) external;
}

/// Farms: keeps a copy of the pool from before its update, and reckons with that.
contract Blacksmith {
    struct Pool {
        uint256 weight;
        uint256 accPerToken;
        uint256 lastUpdatedAt;
    }

    struct Miner {
        uint256 amount;
        uint256 writeoff;
    }

    ICover public immutable cover;
    IToken public immutable lp;
    Pool public pool;
    mapping(address => Miner) public miners;
    uint256 public constant PER_SECOND = 0.01 ether;

    constructor(ICover cover_, IToken lp_) {
        (cover, lp) = (cover_, lp_);
        pool = Pool(1, 0, block.timestamp);
    }

    function updatePool() public {
        uint256 total = lp.balanceOf(address(this));
        if (total > 0) pool.accPerToken += (block.timestamp - pool.lastUpdatedAt) * PER_SECOND * 1e12 / total;
        pool.lastUpdatedAt = block.timestamp;
    }

    function deposit(uint256 amount) external {
        Pool memory before = pool;
        updatePool();
        Miner storage m = miners[msg.sender];
        _claim(pool.accPerToken, m);
        m.amount += amount;
        m.writeoff = m.amount * before.accPerToken / 1e12;
        lp.transferFrom(msg.sender, address(this), amount);
    }

    function withdraw(uint256 amount) external {
        updatePool();
        Miner storage m = miners[msg.sender];
        _claim(pool.accPerToken, m);
        m.amount -= amount;
        m.writeoff = m.amount * pool.accPerToken / 1e12;
        lp.transfer(msg.sender, amount);
    }

    function claimRewards() external {
        updatePool();
        Miner storage m = miners[msg.sender];
        _claim(pool.accPerToken, m);
        m.writeoff = m.amount * pool.accPerToken / 1e12;
    }

    function _claim(uint256 acc, Miner storage m) private {
        uint256 due = m.amount * acc / 1e12;
        if (due > m.writeoff) cover.mint(msg.sender, due - m.writeoff);
    }
}
