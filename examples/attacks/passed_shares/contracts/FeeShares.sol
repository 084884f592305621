// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Shares that earn fees by the second, so much in all; when shares change hands, nobody notes what was earned
contract FeeShares {
    Token public immutable asset;
    Token public immutable rewardsToken;
    uint256 public immutable rewardRate;
    uint256 public totalSupply;
    uint256 public accumulated;
    uint256 public updated;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => uint256) public seen;
    mapping(address account => uint256) public kept;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(Token asset_, Token rewardsToken_, uint256 rewardRate_) {
        asset = asset_;
        rewardsToken = rewardsToken_;
        rewardRate = rewardRate_;
        updated = block.timestamp;
    }

    function stakingToken() external view returns (Token) {
        return asset;
    }

    function perShare() public view returns (uint256) {
        return totalSupply == 0 ? accumulated : accumulated + (block.timestamp - updated) * rewardRate * 1e18 / totalSupply;
    }

    function earned(address account) public view returns (uint256) {
        return kept[account] + balanceOf[account] * (perShare() - seen[account]) / 1e18;
    }

    function _note(address account) private {
        accumulated = perShare();
        updated = block.timestamp;
        kept[account] = earned(account);
        seen[account] = accumulated;
    }

    function deposit(uint256 amount) external {
        _note(msg.sender);
        asset.transferFrom(msg.sender, address(this), amount);
        totalSupply += amount;
        balanceOf[msg.sender] += amount;
        emit Transfer(address(0), msg.sender, amount);
    }

    function withdraw(uint256 amount) external {
        _note(msg.sender);
        balanceOf[msg.sender] -= amount;
        totalSupply -= amount;
        asset.transfer(msg.sender, amount);
        emit Transfer(msg.sender, address(0), amount);
    }

    function getReward() external {
        _note(msg.sender);
        uint256 amount = kept[msg.sender];
        kept[msg.sender] = 0;
        rewardsToken.transfer(msg.sender, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}
