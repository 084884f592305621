// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A reward token that the farm mints.
contract CoverToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply;
    address public blacksmith;
    address public migrator;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor() {
        migrator = msg.sender;
    }

    function setBlacksmith(address smith) external {
        require(msg.sender == migrator && blacksmith == address(0));
        blacksmith = smith;
    }

    function mint(address to, uint256 amount) external {
        require(msg.sender == blacksmith || msg.sender == migrator);
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
