// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ITether {
    function transferFrom(address from, address to, uint256 value) external;
}

interface ICoin {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
}

/// Changes tethers into another dollar; the other dollar's own door.
contract Peg {
    ITether private immutable usdt;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(ITether usdt_) {
        usdt = usdt_;
    }

    function convert(address holder, uint256 amount) external {
        balanceOf[holder] += amount;
        emit Transfer(address(0), holder, amount);
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}
