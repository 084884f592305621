// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

contract SafeProxy {
    address internal singleton;

    constructor(address singleton_) payable {
        singleton = singleton_;
    }

    receive() external payable {}

    fallback() external payable {
        address to = singleton;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
