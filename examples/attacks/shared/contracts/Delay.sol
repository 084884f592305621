// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A timelock: what its admin queued runs two days later.
contract Delay {
    address public admin;
    uint256 public constant delay = 2 days;
    mapping(bytes32 => uint256) public queued;

    event Queued(bytes32 indexed id, address target, bytes data);
    event Executed(bytes32 indexed id);

    constructor() {
        admin = msg.sender;
    }

    function queue(address target, bytes calldata data) external {
        require(msg.sender == admin);
        bytes32 id = keccak256(abi.encode(target, data));
        queued[id] = block.timestamp + delay;
        emit Queued(id, target, data);
    }

    function executeTransaction(address target, bytes calldata data) external payable {
        bytes32 id = keccak256(abi.encode(target, data));
        require(queued[id] != 0 && block.timestamp >= queued[id], "early");
        delete queued[id];
        (bool done,) = target.call{value: msg.value}(data);
        require(done, "reverted");
        emit Executed(id);
    }
}
