// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A vault (ERC-4626) whose price is its balance over its shares, so that a donation moves it
contract Vault {
    Token public immutable asset;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    uint8 public constant decimals = 18;

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(address indexed sender, address indexed to, address indexed owner, uint256 assets, uint256 shares);

    constructor(Token asset_) {
        asset = asset_;
    }

    function totalAssets() public view returns (uint256) {
        return asset.balanceOf(address(this));
    }

    function convertToShares(uint256 assets) public view returns (uint256) {
        return totalSupply == 0 ? assets : assets * totalSupply / totalAssets();
    }

    function convertToAssets(uint256 shares) public view returns (uint256) {
        return totalSupply == 0 ? shares : shares * totalAssets() / totalSupply;
    }

    function deposit(uint256 assets, address to) external returns (uint256 shares) {
        shares = convertToShares(assets);
        asset.transferFrom(msg.sender, address(this), assets);
        totalSupply += shares;
        balanceOf[to] += shares;
        emit Transfer(address(0), to, shares);
        emit Deposit(msg.sender, to, assets, shares);
    }

    function redeem(uint256 shares, address to, address owner) external returns (uint256 assets) {
        require(owner == msg.sender, "not the owner");
        assets = convertToAssets(shares);
        balanceOf[owner] -= shares;
        totalSupply -= shares;
        asset.transfer(to, assets);
        emit Transfer(owner, address(0), shares);
        emit Withdraw(msg.sender, to, owner, assets, shares);
    }

    function transfer(address to, uint256 shares) external returns (bool) {
        balanceOf[msg.sender] -= shares;
        balanceOf[to] += shares;
        emit Transfer(msg.sender, to, shares);
        return true;
    }

    /// @notice What somebody has, in the asset, inside and outside of the vault.
    function wealth(address account) external view returns (uint256) {
        return asset.balanceOf(account) + (balanceOf[account] == 0 ? 0 : convertToAssets(balanceOf[account]));
    }
}
