// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GuardLib} from "../GuardLib.sol";
import {IGuardRegistry} from "../IGuardRegistry.sol";
import {AdminReader} from "../test/AdminReader.sol";
import {Owned} from "../test/Owners.sol";

/// The part of forge's cheatcodes that is used here.
interface Vm {
    function assume(bool) external;
    function computeCreateAddress(address deployer, uint256 nonce) external returns (address);
    function computeCreate2Address(bytes32 salt, bytes32 hash, address deployer) external returns (address);
    function etch(address, bytes calldata) external;
    function expectRevert() external;
    function parseJsonBytes(string calldata json, string calldata key) external returns (bytes memory);
    function prank(address) external;
    function readFile(string calldata) external returns (string memory);
    function store(address, bytes32, bytes32) external;
    function warp(uint256) external;
}

/// The registry as genesis has it, with a module, on a chain of forge's.
abstract contract Scene {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    IGuardRegistry internal constant REGISTRY = GuardLib.REGISTRY;
    address internal constant ADMIN_READER = 0x5061726170657400000000000000000000000002;
    address internal constant GUARDIAN = address(0x6a);
    address internal constant GOVERNANCE = address(0x60);
    address internal constant OWNER = address(0x0e);
    address internal constant MANAGER = address(0x3a);
    uint256 internal constant START = 1_700_000_000;

    bytes32 internal module;

    function _begin() internal {
        string memory artefact = vm.readFile("../../monitor/registry/artifacts/GuardRegistry.json");
        vm.etch(address(REGISTRY), vm.parseJsonBytes(artefact, ".deployedBytecode"));
        vm.etch(ADMIN_READER, type(AdminReader).runtimeCode);
        vm.store(address(REGISTRY), bytes32(uint256(1)), bytes32(uint256(uint160(GUARDIAN))));
        vm.store(address(REGISTRY), bytes32(uint256(10)), bytes32(uint256(uint160(GOVERNANCE))));
        vm.warp(START);
        module = keccak256("a guard");
        REGISTRY.uploadChunk(module, 0, "a guard");
        REGISTRY.registerModule(module);
    }

    function _administer(address account, address admin) internal {
        vm.store(ADMIN_READER, bytes32(uint256(uint160(account))), bytes32(uint256(uint160(admin))));
    }

    function _request(address account) internal view returns (IGuardRegistry.AttachRequest memory request) {
        request.module = module;
        request.accounts = new address[](1);
        request.accounts[0] = account;
        request.mode = IGuardRegistry.Mode.Enforce;
        request.manager = MANAGER;
    }

    function _attach(address account) internal returns (bytes32) {
        IGuardRegistry.AttachRequest memory request = _request(account);
        vm.prank(OWNER);
        return REGISTRY.attach(request);
    }

    /// @dev One of the numbers from `min` to `max`.
    function _within(uint256 drawn, uint256 min, uint256 max) internal pure returns (uint256) {
        return min + drawn % (max - min + 1);
    }

    function _terms(uint256 drawn) internal pure returns (IGuardRegistry.Terms memory terms) {
        terms.failure = IGuardRegistry.Failure(drawn % 2);
        terms.priority = uint32(drawn >> 8);
        terms.fuelMax = uint64(_within(drawn >> 40, 1, 100_000_000));
        terms.demotionShare = uint16(_within(drawn >> 104, 0, 10_000));
        terms.triggers = uint32(drawn >> 120);
        terms.escapes = new bytes4[]((drawn >> 152) % 17);
        for (uint256 i = 0; i < terms.escapes.length; i++) {
            terms.escapes[i] = bytes4(keccak256(abi.encode(drawn, i)));
        }
    }

    function _vault() internal returns (address) {
        return address(new Owned(OWNER));
    }
}
