// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract Vacuum {
    function save() external {
        payable(tx.origin).transfer(address(this).balance);
    }
}
