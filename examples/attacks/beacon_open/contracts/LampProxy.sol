// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ILamp {
    function implementation() external view returns (address);
}

contract LampProxy {
    bytes32 private constant BEACON = 0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50;

    constructor(address lamp) payable {
        assembly {
            sstore(BEACON, lamp)
        }
    }

    receive() external payable {}

    fallback() external payable {
        address lamp;
        assembly {
            lamp := sload(BEACON)
        }
        address impl = ILamp(lamp).implementation();
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), impl, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
