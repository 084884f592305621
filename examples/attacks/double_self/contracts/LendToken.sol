// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A lending token that writes what two balances become from what they were: sent to oneself, it doubles.
contract LendToken {
    uint256 internal supply;
    mapping(address => uint256) internal bal;
    mapping(address => mapping(address => uint256)) public allowance;
    address payable public immutable treasury;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Mint(address indexed minter, uint256 tokenAmount);
    event Burn(address indexed burner, uint256 tokenAmount);

    constructor() payable {
        treasury = payable(msg.sender);
    }

    function totalSupply() external view returns (uint256) {
        return supply;
    }

    function balanceOf(address a) external view returns (uint256) {
        return bal[a];
    }

    function mintWithEther(address to) external payable {
        supply += msg.value;
        bal[to] += msg.value;
        emit Mint(to, msg.value);
        emit Transfer(address(0), to, msg.value);
    }

    function burnToEther(address to, uint256 amount) external {
        bal[msg.sender] -= amount;
        supply -= amount;
        emit Burn(msg.sender, amount);
        emit Transfer(msg.sender, address(0), amount);
        payable(to).transfer(amount);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return _internal(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        return _internal(from, to, value);
    }

    function _internal(address from, address to, uint256 value) private returns (bool) {
        uint256 fromWas = bal[from];
        uint256 toWas = bal[to];
        bal[from] = fromWas - value;
        bal[to] = toWas + value;
        emit Transfer(from, to, value);
        return true;
    }
}
