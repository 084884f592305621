// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Six decimals, and transfers that return nothing; approvals change only by way of zero.
contract Tether {
    mapping(address => uint) public balances;
    mapping(address => mapping(address => uint)) public allowed;
    address public owner;
    uint public _totalSupply;
    uint public constant decimals = 6;

    event Transfer(address indexed from, address indexed to, uint value);
    event Approval(address indexed owner, address indexed spender, uint value);
    event Issue(uint amount);

    constructor() {
        owner = msg.sender;
    }

    function totalSupply() public view returns (uint) {
        return _totalSupply;
    }

    function balanceOf(address who) public view returns (uint) {
        return balances[who];
    }

    function allowance(address who, address spender) public view returns (uint) {
        return allowed[who][spender];
    }

    function issue(address to, uint amount) public {
        require(msg.sender == owner);
        balances[to] += amount;
        _totalSupply += amount;
        emit Issue(amount);
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint value) public {
        balances[msg.sender] -= value;
        balances[to] += value;
        emit Transfer(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint value) public {
        if (allowed[from][msg.sender] < type(uint).max) allowed[from][msg.sender] -= value;
        balances[from] -= value;
        balances[to] += value;
        emit Transfer(from, to, value);
    }

    function approve(address spender, uint value) public {
        require(value == 0 || allowed[msg.sender][spender] == 0, "by way of zero");
        allowed[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }
}
