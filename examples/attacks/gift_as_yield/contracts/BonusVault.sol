// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A vault that pays a bonus of five times what its owners have gained, and takes whatever is sent to it for a gain
contract BonusVault {
    Token public immutable asset;
    Token public immutable bonus;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    /// @notice What an account's shares were worth when it was last paid.
    mapping(address account => uint256) public paidUpTo;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(Token asset_, Token bonus_) {
        asset = asset_;
        bonus = bonus_;
    }

    function convertToAssets(uint256 shares) public view returns (uint256) {
        return totalSupply == 0 ? shares : shares * asset.balanceOf(address(this)) / totalSupply;
    }

    function deposit(uint256 amount) external returns (uint256 shares) {
        claim();
        shares = totalSupply == 0 ? amount : amount * totalSupply / asset.balanceOf(address(this));
        asset.transferFrom(msg.sender, address(this), amount);
        totalSupply += shares;
        balanceOf[msg.sender] += shares;
        paidUpTo[msg.sender] = convertToAssets(balanceOf[msg.sender]);
        emit Transfer(address(0), msg.sender, shares);
    }

    function redeem(uint256 shares) external {
        claim();
        uint256 amount = convertToAssets(shares);
        balanceOf[msg.sender] -= shares;
        totalSupply -= shares;
        asset.transfer(msg.sender, amount);
        paidUpTo[msg.sender] = balanceOf[msg.sender] == 0 ? 0 : convertToAssets(balanceOf[msg.sender]);
        emit Transfer(msg.sender, address(0), shares);
    }

    function claim() public {
        uint256 worth = convertToAssets(balanceOf[msg.sender]);
        uint256 gained = worth > paidUpTo[msg.sender] ? worth - paidUpTo[msg.sender] : 0;
        paidUpTo[msg.sender] = worth;
        if (gained != 0) bonus.transfer(msg.sender, gained * 5);
    }

    /// @notice Takes what a strategy has earned.
    function report(address strategy, uint256 amount) external {
        asset.transferFrom(strategy, address(this), amount);
    }
}
