// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IData {
    function getCurEpochConPubKeyBytes() external view returns (bytes32);
}

/// Runs what the keeper signed on another chain: a method of a contract there, by its name.
contract CrossManager {
    IData public immutable data;
    mapping(bytes32 => bool) public done;

    constructor(IData data_) {
        data = data_;
    }

    function hashOf(uint256 id, address target, bytes calldata method, bytes calldata args) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), id, target, method, args));
    }

    function verifyHeaderAndExecuteTx(uint256 id, address target, bytes calldata method, bytes calldata args, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 hash = hashOf(id, target, method, args);
        require(!done[hash]);
        done[hash] = true;
        require(bytes32(uint256(uint160(ecrecover(hash, v, r, s)))) == data.getCurEpochConPubKeyBytes(), "keeper");
        (bool ok,) = target.call(abi.encodePacked(bytes4(keccak256(abi.encodePacked(method, "(bytes32)"))), args));
        require(ok, "call");
    }
}
