// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract Backdoor {
    function sweepETH(address payable to) external {
        to.transfer(address(this).balance);
    }
}
