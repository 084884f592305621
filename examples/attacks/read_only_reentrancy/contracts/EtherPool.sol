// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title A pool of ether and a token of the same worth; whoever leaves is paid in ether before his token is sent
/// @dev Nothing that changes state can be re-entered, so the pool itself loses nothing. Its price can be read all the same.
contract EtherPool {
    Token public immutable token;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;
    uint256 private open = 1;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    modifier once() {
        require(open == 1, "open");
        open = 2;
        _;
        open = 1;
    }

    constructor(Token token_) {
        token = token_;
    }

    /// @notice What a share is worth, with 18 decimals.
    function get_virtual_price() external view returns (uint256) {
        return totalSupply == 0 ? 1e18 : (address(this).balance + token.balanceOf(address(this))) * 1e18 / totalSupply;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    /// @notice As much of the token as of ether.
    function add() external payable once returns (uint256 shares) {
        token.transferFrom(msg.sender, address(this), msg.value);
        uint256 all = address(this).balance + token.balanceOf(address(this));
        shares = totalSupply == 0 ? 2 * msg.value : 2 * msg.value * totalSupply / (all - 2 * msg.value);
        totalSupply += shares;
        balanceOf[msg.sender] += shares;
        emit Transfer(address(0), msg.sender, shares);
    }

    function remove(uint256 shares) external once {
        uint256 etherPart = address(this).balance * shares / totalSupply;
        uint256 tokenPart = token.balanceOf(address(this)) * shares / totalSupply;
        balanceOf[msg.sender] -= shares;
        totalSupply -= shares;
        emit Transfer(msg.sender, address(0), shares);
        (bool paid,) = msg.sender.call{value: etherPart}("");
        require(paid, "not paid");
        token.transfer(msg.sender, tokenPart);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}
