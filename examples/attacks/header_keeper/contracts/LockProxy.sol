// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Holds the ether.
contract LockProxy {
    address public immutable manager;

    constructor(address manager_) payable {
        manager = manager_;
    }

    receive() external payable {}

    function unlock(bytes32 what) external {
        require(msg.sender == manager);
        (bool sent,) = address(uint160(uint256(what))).call{value: uint256(what) >> 160}("");
        require(sent);
    }
}
