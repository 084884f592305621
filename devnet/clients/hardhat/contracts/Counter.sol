// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// A number that its owner steps, and that nobody steps before it is time.
contract Counter {
    address public immutable owner = msg.sender;
    uint256 public immutable opens;
    uint256 public x;

    error NotOwner(address caller);

    event Increment(uint256 by);

    constructor(uint256 opens_) payable {
        opens = opens_;
    }

    function inc(uint256 by) external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        require(block.timestamp >= opens, "too early");
        x += by;
        emit Increment(by);
    }

    receive() external payable {}
}
