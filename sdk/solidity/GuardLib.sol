// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "./IGuardRegistry.sol";

/// @title Guards for the contract that uses this library
/// @dev A contract has authority over itself, also while its constructor runs, so these calls need no owner.
library GuardLib {
    IGuardRegistry internal constant REGISTRY = IGuardRegistry(0x5061726170657400000000000000000000000001);

    /// @notice Attaches a guard to the calling contract, fail-closed, with the default fuel.
    function attachToSelf(bytes32 module, bytes memory configuration, IGuardRegistry.Mode mode)
        internal
        returns (bytes32 id)
    {
        address[] memory accounts = new address[](1);
        accounts[0] = address(this);
        return REGISTRY.attach(
            IGuardRegistry.AttachRequest({
                module: module,
                accounts: accounts,
                configuration: configuration,
                mode: mode,
                failure: IGuardRegistry.Failure.Closed,
                priority: 0,
                fuelMax: 0
            })
        );
    }
}
