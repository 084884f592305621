// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title An ERC-20 token as most are: checked arithmetic, custom errors, one log for each movement
/// @dev The generator of workloads writes balances and allowances straight into state, so the order of the three
/// storage variables is fixed: balances in slot 0, allowances in slot 1, the supply in slot 2.
contract PlainToken {
    mapping(address account => uint256) private _balances;
    mapping(address account => mapping(address spender => uint256)) private _allowances;
    uint256 private _totalSupply;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed account, address indexed spender, uint256 value);

    error InvalidSender(address sender);
    error InvalidReceiver(address receiver);
    error InvalidSpender(address spender);
    error InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);

    constructor(uint256 supply) {
        _totalSupply = supply;
        _balances[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function name() external pure returns (string memory) {
        return "Plain";
    }

    function symbol() external pure returns (string memory) {
        return "PLN";
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function totalSupply() external view returns (uint256) {
        return _totalSupply;
    }

    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    function allowance(address account, address spender) external view returns (uint256) {
        return _allowances[account][spender];
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        require(spender != address(0), InvalidSpender(spender));
        _allowances[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _spend(from, msg.sender, value);
        _transfer(from, to, value);
        return true;
    }

    /// @dev The largest number stands for an allowance without end, which is not counted down.
    function _spend(address account, address spender, uint256 value) private {
        uint256 allowed = _allowances[account][spender];
        if (allowed == type(uint256).max) return;
        require(allowed >= value, InsufficientAllowance(spender, allowed, value));
        _allowances[account][spender] = allowed - value;
    }

    function _transfer(address from, address to, uint256 value) private {
        require(from != address(0), InvalidSender(from));
        require(to != address(0), InvalidReceiver(to));
        uint256 balance = _balances[from];
        require(balance >= value, InsufficientBalance(from, balance, value));
        _balances[from] = balance - value;
        _balances[to] += value;
        emit Transfer(from, to, value);
    }
}
