// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IHooks {
    function tokensToSend(address, address from, address to, uint256 amount, bytes calldata, bytes calldata) external;
    function tokensReceived(address, address from, address to, uint256 amount, bytes calldata, bytes calldata) external;
}

/// ERC-777 in what matters: whoever asked for it is told before tokens leave him and after they came.
contract HookedCoin {
    address public immutable issuer = msg.sender;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => address) public hooksOf;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Sent(address indexed operator, address indexed from, address indexed to, uint256 amount, bytes data, bytes operatorData);

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function setInterfaceImplementer(address implementer) external {
        hooksOf[msg.sender] = implementer;
    }

    function issue(address to, uint256 amount) external {
        require(msg.sender == issuer);
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function send(address to, uint256 amount, bytes calldata data) external {
        _send(msg.sender, to, amount, data);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _send(msg.sender, to, amount, "");
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _send(from, to, amount, "");
        return true;
    }

    function _send(address from, address to, uint256 amount, bytes memory data) private {
        if (hooksOf[from] != address(0)) IHooks(hooksOf[from]).tokensToSend(msg.sender, from, to, amount, data, "");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Sent(msg.sender, from, to, amount, data, "");
        emit Transfer(from, to, amount);
        if (hooksOf[to] != address(0)) IHooks(hooksOf[to]).tokensReceived(msg.sender, from, to, amount, data, "");
    }
}
