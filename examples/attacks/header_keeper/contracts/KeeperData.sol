// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Holds the bridge's keepers, for its manager alone.
contract KeeperData {
    address public manager;
    bytes32 private keepers;

    constructor() {
        manager = msg.sender;
    }

    function transferManager(address to) external {
        require(msg.sender == manager);
        manager = to;
    }

    function putCurEpochConPubKeyBytes(bytes32 k) external returns (bool) {
        require(msg.sender == manager);
        keepers = k;
        return true;
    }

    function getCurEpochConPubKeyBytes() external view returns (bytes32) {
        return keepers;
    }
}
