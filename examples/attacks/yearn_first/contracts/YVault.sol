// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

/// A vault of the early kind: names of Yearn's first version, in a storage that begins with a name, as Vyper's do.
contract YVault {
    string public name = "yTest";
    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply;
    address public governance = msg.sender;
    address public strategy;
    IToken public token;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(IToken token_) {
        token = token_;
    }

    function balance() public view returns (uint256) {
        return token.balanceOf(address(this)) + (strategy == address(0) ? 0 : token.balanceOf(strategy));
    }

    function getPricePerFullShare() public view returns (uint256) {
        return balance() * 1e18 / totalSupply;
    }

    /// Falls as somebody gets richer.
    function poverty(address who) external view returns (uint256) {
        uint256 mine = totalSupply == 0 ? 0 : balance() * balanceOf[who] / totalSupply;
        return type(uint128).max - token.balanceOf(who) - mine;
    }

    function deposit(uint256 amount) external {
        uint256 pool = balance();
        uint256 before = token.balanceOf(address(this));
        token.transferFrom(msg.sender, address(this), amount);
        amount = token.balanceOf(address(this)) - before;
        uint256 shares = totalSupply == 0 ? amount : amount * totalSupply / pool;
        totalSupply += shares;
        balanceOf[msg.sender] += shares;
        emit Transfer(address(0), msg.sender, shares);
    }

    function withdraw(uint256 shares) external {
        uint256 r = balance() * shares / totalSupply;
        totalSupply -= shares;
        balanceOf[msg.sender] -= shares;
        emit Transfer(msg.sender, address(0), shares);
        uint256 here = token.balanceOf(address(this));
        if (here < r) IStrategy(strategy).withdraw(r - here);
        token.transfer(msg.sender, r);
    }

    function setStrategy(address s) external {
        require(msg.sender == governance);
        if (strategy != address(0)) IStrategy(strategy).withdraw(token.balanceOf(strategy));
        strategy = s;
    }

    function earn() external {
        token.transfer(strategy, token.balanceOf(address(this)) * 95 / 100);
    }
}

interface IStrategy {
    function withdraw(uint256 amount) external;
}
