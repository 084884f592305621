// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// The proxy of upgradeable implementations: it has nobody's code to upgrade itself.
contract UupsProxy {
    bytes32 private constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    constructor(address logic, bytes memory data) {
        assembly {
            sstore(IMPLEMENTATION, logic)
        }
        (bool done,) = logic.delegatecall(data);
        require(done);
    }

    receive() external payable {
        _run();
    }

    fallback() external payable {
        _run();
    }

    function _run() private {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(IMPLEMENTATION), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
