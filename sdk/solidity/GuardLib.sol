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
        return attachToSelf(module, configuration, mode, 0, address(0));
    }

    /// @notice As above, with the seconds that changes wait, and who runs the guard (zero: nobody). A contract that declares a
    /// delay is guarded only once `applyChange(id, ChangeKind.Attach)` was called after it.
    function attachToSelf(
        bytes32 module,
        bytes memory configuration,
        IGuardRegistry.Mode mode,
        uint32 delay,
        address manager
    ) internal returns (bytes32 id) {
        IGuardRegistry.AttachRequest memory request;
        request.module = module;
        request.configuration = configuration;
        request.mode = mode;
        request.delay = delay;
        request.manager = manager;
        return attachToSelf(request);
    }

    /// @notice Attaches a guard to the calling contract as `request` has it; its accounts are ignored.
    function attachToSelf(IGuardRegistry.AttachRequest memory request) internal returns (bytes32 id) {
        request.accounts = new address[](1);
        request.accounts[0] = address(this);
        return REGISTRY.attach(request);
    }
}
