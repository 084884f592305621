// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A token that pays its holders by shrinking what everybody's balance divides, as many of the meme coins do; anybody may
/// burn anybody's.
contract Reflect {
    string public constant symbol = "RFL";
    uint8 public constant decimals = 9;
    uint256 private constant ALL = type(uint128).max;
    uint256 private _tTotal = 1_000_000e9;
    uint256 private _rTotal = ALL - (ALL % 1_000_000e9);
    mapping(address => uint256) private _rOwned;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor() {
        _rOwned[msg.sender] = _rTotal;
        emit Transfer(address(0), msg.sender, _tTotal);
    }

    function totalSupply() external view returns (uint256) {
        return _tTotal;
    }

    function rate() public view returns (uint256) {
        return _rTotal / _tTotal;
    }

    function balanceOf(address who) public view returns (uint256) {
        return _rOwned[who] / rate();
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

    /// An upgrade made this public.
    function burn(address from, uint256 value) external {
        uint256 r = value * rate();
        _rOwned[from] -= r;
        _rOwned[address(1)] += r;
        emit Transfer(from, address(1), value);
    }

    function _transfer(address from, address to, uint256 value) private {
        uint256 r = value * rate();
        uint256 fee = r / 100;
        _rOwned[from] -= r;
        _rOwned[to] += r - fee;
        _rTotal -= fee;
        emit Transfer(from, to, value - value / 100);
    }
}
