// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A safe of several owners, in the layout of the well-known one: its code's address at slot 0, owners in a list, a nonce
/// within what they sign, and calls that are delegated if the signed operation says so.
contract MiniSafe {
    address internal singleton;
    mapping(address => address) internal modules;
    mapping(address => address) internal owners;
    uint256 internal ownerCount;
    uint256 internal threshold;
    uint256 public nonce;

    event ExecutionSuccess(bytes32 indexed txHash, uint256 payment);

    function setup(address[] calldata list, uint256 threshold_) external {
        require(threshold == 0, "GS200");
        address last = address(1);
        for (uint256 i = 0; i < list.length; i++) {
            owners[last] = list[i];
            last = list[i];
        }
        owners[last] = address(1);
        ownerCount = list.length;
        threshold = threshold_;
    }

    function hashOf(address to, uint256 value, bytes32 dataHash, uint8 operation) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), to, value, dataHash, operation, nonce));
    }

    function execTransaction(address to, uint256 value, bytes calldata data, uint8 operation, uint8[2] calldata v, bytes32[2] calldata r, bytes32[2] calldata s) external payable {
        bytes32 hash = hashOf(to, value, keccak256(data), operation);
        nonce++;
        address last;
        for (uint256 i = 0; i < 2; i++) {
            address owner = ecrecover(hash, v[i], r[i], s[i]);
            require(owner > last && owners[owner] != address(0) && owner != address(1), "GS026");
            last = owner;
        }
        bool done;
        if (operation == 1) {
            (done,) = to.delegatecall(data);
        } else {
            (done,) = to.call{value: value}(data);
        }
        require(done, "GS013");
        emit ExecutionSuccess(hash, 0);
    }
}
