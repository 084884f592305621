// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title One end of a bridge: pays what messages say, if they stand under a root that was confirmed
/// @dev An upgrade confirmed the root zero, under which every message stands that was never proved.
contract Replica {
    Token public immutable token;
    address public immutable relayer;
    mapping(bytes32 root => uint256 time) public confirmAt;
    mapping(bytes32 message => bytes32 root) public messages;

    constructor(Token token_) {
        token = token_;
        relayer = msg.sender;
        confirmAt[bytes32(0)] = 1;
    }

    function update(bytes32 root) external {
        require(msg.sender == relayer, "not the relayer");
        confirmAt[root] = block.timestamp;
    }

    function prove(bytes32 leaf, bytes32[] calldata path) external {
        require(messages[leaf] == bytes32(0), "proved before");
        bytes32 root = leaf;
        for (uint256 i; i < path.length; i++) root = keccak256(abi.encode(root, path[i]));
        require(confirmAt[root] != 0, "unknown root");
        messages[leaf] = root;
    }

    function process(address to, uint256 amount, uint256 nonce) external {
        bytes32 leaf = leafOf(to, amount, nonce);
        require(confirmAt[messages[leaf]] != 0, "not proved");
        messages[leaf] = bytes32(uint256(1));
        token.transfer(to, amount);
    }

    function send(uint256 amount) external {
        token.transferFrom(msg.sender, address(this), amount);
    }

    function leafOf(address to, uint256 amount, uint256 nonce) public pure returns (bytes32) {
        return keccak256(abi.encode(to, amount, nonce));
    }

    function rootOf(address to, uint256 amount, uint256 nonce) external pure returns (bytes32) {
        return keccak256(abi.encode(leafOf(to, amount, nonce), bytes32(uint256(7))));
    }
}
