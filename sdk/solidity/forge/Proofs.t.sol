// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../IGuardRegistry.sol";
import {Ownerless} from "../test/Accounts.sol";
import {Owned} from "../test/Owners.sol";
import {Scene} from "./Scene.sol";

/// Answers every call with the same bytes, or reverts with them, after using up some gas.
contract Answering {
    bytes private answer;
    bool private reverts;
    uint256 private burnt;

    constructor(bytes memory answer_, bool reverts_, uint256 burnt_) {
        (answer, reverts, burnt) = (answer_, reverts_, burnt_);
    }

    fallback() external {
        uint256 start = gasleft();
        bytes memory said = answer;
        (bool failing, uint256 burning) = (reverts, burnt);
        while (start - gasleft() < burning) {}
        assembly {
            if failing { revert(add(said, 0x20), mload(said)) }
            return(add(said, 0x20), mload(said))
        }
    }
}

/// Answers with the sender's address as a role would, and says nothing about interfaces but what it is told.
contract HalfRoles {
    uint256 private immutable held;
    uint256 private immutable known;
    uint256 private immutable unknown;

    constructor(uint256 held_, uint256 known_, uint256 unknown_) {
        (held, known, unknown) = (held_, known_, unknown_);
    }

    function hasRole(bytes32, address) external view returns (uint256) {
        return held;
    }

    function supportsInterface(bytes4 id) external view returns (uint256) {
        return id == 0x7965db0b ? known : unknown;
    }
}

/// Whatever an account answers, only what it plainly says counts.
contract ProofsTest is Scene {
    function setUp() external {
        _begin();
    }

    function testFuzz_an_owner_is_a_whole_clean_address(bytes memory answer, bool reverts, address who) external {
        vm.assume(answer.length < 400 && who != address(0));
        address account = address(new Answering(answer, reverts, 0));
        vm.assume(who != account);
        bool named = !reverts && answer.length >= 32 && _word(answer) == uint160(who);
        assert(REGISTRY.hasAuthority(account, who) == named);
    }

    function testFuzz_an_owner_is_found_whoever_it_is(address who, bytes memory behind) external {
        vm.assume(who != address(0) && behind.length < 400);
        address account = address(new Answering(bytes.concat(abi.encode(who), behind), false, 0));
        assert(REGISTRY.hasAuthority(account, who));
        assert(!REGISTRY.hasAuthority(account, address(uint160(who) ^ 1)) || uint160(who) == 1);
        assert(!REGISTRY.hasAuthority(account, address(0)));
    }

    function testFuzz_roles_are_those_of_access_control(uint256 held, uint256 known, uint256 unknown, address who) external {
        (held, known, unknown) = (held % 3, known % 3, unknown % 3);
        address account = address(new HalfRoles(held, known, unknown));
        vm.assume(who != address(0) && who != account);
        assert(REGISTRY.hasAuthority(account, who) == (held == 1 && known == 1 && unknown == 0));
    }

    function testFuzz_a_deployer_is_whom_create_took(address who, uint64 nonce, uint64 other) external {
        vm.assume(nonce != type(uint64).max);
        address account = vm.computeCreateAddress(who, nonce);
        vm.prank(who);
        REGISTRY.proveDeployer(account, nonce);
        assert(REGISTRY.deployerOf(account) == who);
        if (other == nonce) return;
        vm.prank(who);
        vm.expectRevert();
        REGISTRY.proveDeployer(account, other);
    }

    function testFuzz_a_factory_is_whom_create2_took(address who, bytes32 salt, bytes32 hash, bytes32 other) external {
        address account = vm.computeCreate2Address(salt, hash, who);
        vm.prank(who);
        REGISTRY.proveDeployer2(account, salt, hash);
        assert(REGISTRY.deployerOf(account) == who);
        if (other == salt) return;
        vm.prank(who);
        vm.expectRevert();
        REGISTRY.proveDeployer2(account, other, hash);
        vm.prank(address(uint160(who) ^ 1));
        vm.expectRevert();
        REGISTRY.proveDeployer2(account, salt, hash);
    }

    /// The account answers to its owner's question with all of an owner, none of one, or too late; the gas is any.
    function testFuzz_no_gas_makes_a_deployer_of_an_owned_contract(uint256 burnt, uint256 gas_, bool reverts) external {
        burnt = _within(burnt, 0, 120_000);
        address account = address(new Answering(abi.encode(OWNER), reverts, burnt));
        _prove(account);
        try REGISTRY.hasAuthority{gas: _within(gas_, 20_000, 400_000)}(account, address(this)) returns (bool has) {
            // Only one that says at once that it has no owner has none.
            assert(!has || (reverts && burnt < 25_000));
        } catch {}
    }

    function testFuzz_an_admin_outranks_the_code(address named, address admin, address who) external {
        vm.assume(admin != address(0) && who != address(0) && admin.code.length == 0);
        address account = address(new Owned(named));
        _administer(account, admin);
        vm.assume(who != account);
        assert(REGISTRY.hasAuthority(account, who) == (who == admin));
    }

    function test_a_deployer_is_one_only_where_there_is_nobody_else() external {
        address account = address(new Ownerless());
        _prove(account);
        assert(REGISTRY.hasAuthority(account, address(this)));
        _administer(account, OWNER);
        assert(!REGISTRY.hasAuthority(account, address(this)));
    }

    function _prove(address account) private {
        for (uint64 nonce = 1; nonce < 16; nonce++) {
            if (vm.computeCreateAddress(address(this), nonce) == account) REGISTRY.proveDeployer(account, nonce);
        }
        assert(REGISTRY.deployerOf(account) == address(this));
    }

    function _word(bytes memory answer) private pure returns (uint256 word) {
        assembly {
            word := mload(add(answer, 0x20))
        }
    }
}
