// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Does what its proposer said, two days later
contract Timelock {
    uint256 public constant DELAY = 2 days;
    address public immutable proposer;
    mapping(bytes32 operation => uint256 ready) public readyAt;

    event Scheduled(bytes32 indexed operation, address to, bytes data);
    event Executed(bytes32 indexed operation);

    constructor(address proposer_) {
        proposer = proposer_;
    }

    function schedule(address to, bytes calldata data, bytes32 salt) external {
        require(msg.sender == proposer, "not the proposer");
        bytes32 operation = keccak256(abi.encode(to, data, salt));
        readyAt[operation] = block.timestamp + DELAY;
        emit Scheduled(operation, to, data);
    }

    function execute(address to, bytes calldata data, bytes32 salt) external {
        bytes32 operation = keccak256(abi.encode(to, data, salt));
        require(readyAt[operation] != 0 && block.timestamp >= readyAt[operation], "not ready");
        delete readyAt[operation];
        (bool done,) = to.call(data);
        require(done, "failed");
        emit Executed(operation);
    }
}
