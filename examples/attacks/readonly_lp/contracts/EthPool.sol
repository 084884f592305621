// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

/// A pool of ether and a token that keeps its value, in the manner of stable pools; its shares are a token.
contract EthPool {
    IToken public immutable coin;
    string public constant symbol = "lpETH";
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    bool private busy;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event AddLiquidity(address indexed provider, uint256 shares);
    event RemoveLiquidity(address indexed provider, uint256 shares);

    modifier nonreentrant() {
        require(!busy, "busy");
        busy = true;
        _;
        busy = false;
    }

    constructor(IToken coin_) {
        coin = coin_;
    }

    function get_virtual_price() external view returns (uint256) {
        return (address(this).balance + coin.balanceOf(address(this))) * 1e18 / totalSupply;
    }

    function add_liquidity(uint256 coins) external payable nonreentrant returns (uint256 shares) {
        uint256 worth = address(this).balance - msg.value + coin.balanceOf(address(this));
        if (coins > 0) coin.transferFrom(msg.sender, address(this), coins);
        shares = totalSupply == 0 ? msg.value + coins : (msg.value + coins) * totalSupply / worth;
        totalSupply += shares;
        balanceOf[msg.sender] += shares;
        emit Transfer(address(0), msg.sender, shares);
        emit AddLiquidity(msg.sender, shares);
    }

    function remove_liquidity(uint256 shares) external nonreentrant {
        uint256 eth = address(this).balance * shares / totalSupply;
        uint256 coins = coin.balanceOf(address(this)) * shares / totalSupply;
        balanceOf[msg.sender] -= shares;
        totalSupply -= shares;
        emit Transfer(msg.sender, address(0), shares);
        (bool sent,) = msg.sender.call{value: eth}("");
        require(sent);
        coin.transfer(msg.sender, coins);
        emit RemoveLiquidity(msg.sender, shares);
    }

    function exchange(uint256 coins, uint256 least) external payable nonreentrant {
        uint256 out = (msg.value + coins) * 9996 / 10_000;
        require(out >= least);
        if (coins > 0) {
            coin.transferFrom(msg.sender, address(this), coins);
            (bool sent,) = msg.sender.call{value: out}("");
            require(sent);
        } else {
            coin.transfer(msg.sender, out);
        }
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        _transfer(from, to, value);
        return true;
    }

    function _transfer(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
