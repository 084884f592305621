// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../IGuardRegistry.sol";
import {Owned} from "../test/Owners.sol";
import {Scene} from "./Scene.sol";

/// A change is done neither before it is ready nor after it lapsed, whatever the delays.
contract WaitingTest is Scene {
    uint256 private constant LIFETIME = 14 days;

    function setUp() external {
        _begin();
    }

    function testFuzz_a_change_is_applied_in_its_time(uint32 delay, uint32 least, uint64 elapsed) external {
        (delay, least) = (uint32(_within(delay, 1, 30 days)), uint32(_within(least, 0, 30 days)));
        uint256 wait = delay > least ? delay : least;
        elapsed = uint64(_within(elapsed, 0, 60 days));
        bytes32 id = _attach(_vault());
        vm.prank(OWNER);
        REGISTRY.setDelay(id, delay);
        vm.prank(GOVERNANCE);
        REGISTRY.setDelayMin(least);
        vm.prank(OWNER);
        REGISTRY.detach(id);
        vm.warp(START + elapsed);
        bool due = elapsed >= wait && elapsed <= wait + LIFETIME;
        try REGISTRY.applyChange(id, IGuardRegistry.ChangeKind.Detach) {
            assert(due && REGISTRY.attachmentCount() == 0);
        } catch {
            assert(!due && REGISTRY.attachmentCount() == 1);
        }
    }

    function testFuzz_the_chains_delay_never_shrinks_early(uint32[6] memory delays, uint32[6] memory pauses) external {
        uint256 at = START;
        for (uint256 i = 0; i < delays.length; i++) {
            uint32 held = REGISTRY.delayMin();
            uint32 next = uint32(_within(delays[i], 0, 30 days));
            vm.prank(GOVERNANCE);
            REGISTRY.setDelayMin(next);
            assert(REGISTRY.delayMin() == (next > held ? next : held));
            uint256 pause = _within(pauses[i], 0, 31 days);
            at += pause;
            vm.warp(at);
            assert(REGISTRY.delayMin() == (next > held || pause >= held ? next : held));
        }
    }

    function testFuzz_what_is_attached_reads_back(uint256 drawn, bytes memory configuration, uint32 delay) external {
        vm.assume(configuration.length <= 4_096);
        IGuardRegistry.AttachRequest memory request = _request(_vault());
        IGuardRegistry.Terms memory terms = _terms(drawn);
        (request.terms, request.configuration, request.delay) = (terms, configuration, uint32(_within(delay, 0, 30 days)));
        vm.prank(OWNER);
        bytes32 id = REGISTRY.attach(request);
        if (request.delay != 0) {
            vm.warp(START + request.delay);
            REGISTRY.applyChange(id, IGuardRegistry.ChangeKind.Attach);
        }
        IGuardRegistry.AttachmentInfo memory stored = REGISTRY.attachment(id);
        assert(keccak256(abi.encode(stored.terms)) == keccak256(abi.encode(terms)));
        assert(keccak256(stored.configuration) == keccak256(configuration) && stored.delay == request.delay);
        assert(stored.module == module && stored.manager == MANAGER && stored.accounts[0] == request.accounts[0]);
    }

    function testFuzz_a_former_owner_sets_nothing_going(address next, uint8 kind) external {
        vm.assume(next != OWNER && next != MANAGER);
        address vault = _vault();
        bytes32 id = _attach(vault);
        vm.prank(OWNER);
        REGISTRY.setDelay(id, 1 days);
        vm.prank(OWNER);
        if (kind % 3 == 0) REGISTRY.detach(id);
        else if (kind % 3 == 1) REGISTRY.setMode(id, IGuardRegistry.Mode.Shadow);
        else REGISTRY.setConfiguration(id, "other");
        Owned(vault).setOwner(next);
        vm.warp(START + 1 days);
        for (uint8 each = 0; each < 8; each++) {
            try REGISTRY.applyChange(id, IGuardRegistry.ChangeKind(each)) {
                assert(false);
            } catch {}
        }
        assert(REGISTRY.attachment(id).mode == IGuardRegistry.Mode.Enforce);
    }
}
