// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A proxy of the time before ERC-1967: implementation and owner at slots of its own naming.
contract OldProxy {
    bytes32 private constant IMPL = keccak256("org.zeppelinos.proxy.implementation");
    bytes32 private constant OWNER = keccak256("org.govblocks.proxy.owner");

    constructor(address impl) {
        _set(IMPL, impl);
        _set(OWNER, msg.sender);
    }

    function _set(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }

    function proxyOwner() public view returns (address who) {
        bytes32 slot = OWNER;
        assembly {
            who := sload(slot)
        }
    }

    function upgradeTo(address impl) external {
        require(msg.sender == proxyOwner());
        _set(IMPL, impl);
    }

    fallback() external {
        bytes32 slot = IMPL;
        assembly {
            let impl := sload(slot)
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), impl, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
