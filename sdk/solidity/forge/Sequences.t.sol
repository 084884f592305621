// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../IGuardRegistry.sol";
import {Ownerless, Roles} from "../test/Accounts.sol";
import {Owned} from "../test/Owners.sol";
import {Scene} from "./Scene.sol";

/// Calls the registry as one of some people, about attachments and accounts that there are.
abstract contract People is Scene {
    address[] internal people;
    address[] internal accounts;
    bytes32[] internal ids;

    function attach(uint256 who, uint256 one, uint256 other, uint32 delay, uint8 mode) external {
        IGuardRegistry.AttachRequest memory request = _request(_account(one));
        if (other % 3 == 0) {
            request.accounts = new address[](2);
            (request.accounts[0], request.accounts[1]) = (_account(one), _account(other));
        }
        (request.delay, request.mode, request.manager) = (delay % 3 days, _mode(mode), _person(other));
        vm.prank(_person(who));
        ids.push(REGISTRY.attach(request));
    }

    function attachChainWide(uint256 who, uint32 delay) external {
        IGuardRegistry.AttachRequest memory request = _request(address(0));
        (request.accounts, request.delay) = (new address[](0), delay % 3 days);
        vm.prank(_person(who));
        ids.push(REGISTRY.attachChainWide(request));
    }

    function setMode(uint256 who, uint256 id, uint8 mode) external {
        vm.prank(_person(who));
        REGISTRY.setMode(_id(id), _mode(mode));
    }

    function upgrade(uint256 who, uint256 id, bytes calldata configuration) external {
        vm.prank(_person(who));
        REGISTRY.upgrade(_id(id), module, configuration);
    }

    function setTerms(uint256 who, uint256 id, uint256 drawn) external {
        vm.prank(_person(who));
        REGISTRY.setTerms(_id(id), _terms(drawn));
    }

    function setDelay(uint256 who, uint256 id, uint32 delay) external {
        vm.prank(_person(who));
        REGISTRY.setDelay(_id(id), delay % 3 days);
    }

    function detach(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.detach(_id(id));
    }

    function pause(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.pause(_id(id));
    }

    function unpause(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.unpause(_id(id));
    }

    function demote(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.demote(_id(id));
    }

    function keep(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.keep(_id(id));
    }

    function proposeManager(uint256 who, uint256 id, uint256 next) external {
        vm.prank(_person(who));
        REGISTRY.proposeManager(_id(id), _person(next));
    }

    function acceptManager(uint256 who, uint256 id) external {
        vm.prank(_person(who));
        REGISTRY.acceptManager(_id(id));
    }

    function applyChange(uint256 who, uint256 id, uint8 kind) external {
        vm.prank(_person(who));
        REGISTRY.applyChange(_id(id), IGuardRegistry.ChangeKind(kind % 8));
    }

    function cancelChange(uint256 who, uint256 id, uint8 kind) external {
        vm.prank(_person(who));
        REGISTRY.cancelChange(_id(id), IGuardRegistry.ChangeKind(kind % 8));
    }

    function confirmAuthority(uint256 who, uint256 account) external {
        vm.prank(_person(who));
        REGISTRY.confirmAuthority(_account(account));
    }

    function proveDeployer(uint256 who, uint256 account, uint64 nonce) external {
        vm.prank(_person(who));
        REGISTRY.proveDeployer(_account(account), nonce % 16);
    }

    function offices(uint256 who, uint256 next, uint8 which, uint32 delay) external {
        vm.prank(_person(who));
        if (which % 5 == 0) REGISTRY.proposeGuardian(_person(next));
        else if (which % 5 == 1) REGISTRY.acceptGuardian();
        else if (which % 5 == 2) REGISTRY.proposeGovernance(_person(next));
        else if (which % 5 == 3) REGISTRY.acceptGovernance();
        else REGISTRY.setDelayMin(delay % 2 days);
    }

    function _mode(uint8 mode) private pure returns (IGuardRegistry.Mode) {
        return mode % 2 == 0 ? IGuardRegistry.Mode.Shadow : IGuardRegistry.Mode.Enforce;
    }

    function _person(uint256 who) internal view returns (address) {
        return people[who % people.length];
    }

    function _account(uint256 account) internal view returns (address) {
        return accounts[account % accounts.length];
    }

    function _id(uint256 id) private view returns (bytes32) {
        return ids[id % ids.length];
    }
}

/// People without authority over anything but what is their own.
contract Strangers is People {
    constructor(bytes32 module_, address[] memory accounts_, bytes32[] memory ids_) {
        (module, accounts, ids) = (module_, accounts_, ids_);
        people = [address(0xbad), address(0xbad1), address(0xbad2)];
        accounts.push(address(new Owned(people[0])));
        accounts.push(people[1]);
    }
}

/// Everybody, with time that passes and contracts that change hands.
contract Everybody is People {
    uint256 private time = START;

    constructor(bytes32 module_, address[] memory accounts_, bytes32[] memory ids_) {
        (module, accounts, ids) = (module_, accounts_, ids_);
        people = [OWNER, OWNER, MANAGER, GUARDIAN, GOVERNANCE, address(0xbad)];
    }

    function pass(uint32 seconds_) external {
        time += seconds_ % 4 days;
        vm.warp(time);
    }

    function sell(uint256 account, uint256 to) external {
        Owned(_account(account)).setOwner(_person(to));
    }

    function applyOneThatWaits(uint256 who, uint256 which) external {
        IGuardRegistry.ChangeInfo memory change = _waiting(which);
        if (change.readyAt > time) time = change.readyAt;
        vm.warp(time);
        vm.prank(_person(who));
        REGISTRY.applyChange(change.attachment, change.kind);
    }

    function cancelOneThatWaits(uint256 who, uint256 which) external {
        IGuardRegistry.ChangeInfo memory change = _waiting(which);
        vm.prank(_person(who));
        REGISTRY.cancelChange(change.attachment, change.kind);
    }

    function _waiting(uint256 which) private view returns (IGuardRegistry.ChangeInfo memory) {
        return REGISTRY.pendingChanges(which % REGISTRY.pendingChangeCount(), 1)[0];
    }

    function known() external view returns (address[] memory) {
        return accounts;
    }
}

abstract contract SequencesTest is Scene {
    address[] internal victims;
    bytes32[] internal attached;

    /// Accounts in every kind of hands, guarded, some with changes that wait.
    function _guardEverything() internal {
        _begin();
        address proxy = address(new Owned(address(0xbad)));
        _administer(proxy, OWNER);
        address ownerless = address(new Ownerless());
        vm.store(address(REGISTRY), keccak256(abi.encode(ownerless, 15)), bytes32(uint256(uint160(OWNER))));
        victims = [_vault(), address(new Roles(OWNER)), proxy, ownerless, OWNER];
        for (uint256 i = 0; i < victims.length; i++) {
            attached.push(_attach(victims[i]));
        }
        IGuardRegistry.AttachRequest memory request = _request(address(0));
        request.accounts = new address[](0);
        vm.prank(GOVERNANCE);
        attached.push(REGISTRY.attachChainWide(request));
        vm.prank(OWNER);
        REGISTRY.setDelay(attached[0], 1 days);
        vm.prank(OWNER);
        REGISTRY.detach(attached[0]);
    }
}

/// No sequence of calls by strangers changes what guards an account.
contract StrangersTest is SequencesTest {
    Strangers private strangers;
    bytes32 private before;

    function setUp() external {
        _guardEverything();
        strangers = new Strangers(module, victims, attached);
        before = _guards();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(strangers);
    }

    function invariant_strangers_change_nothing() external view {
        assert(_guards() == before);
    }

    function _guards() private view returns (bytes32 all) {
        all = keccak256(abi.encode(REGISTRY.guardian(), REGISTRY.governance(), REGISTRY.delayMin()));
        for (uint256 i = 0; i < victims.length; i++) {
            all = keccak256(abi.encode(all, REGISTRY.attachmentsOf(victims[i]), REGISTRY.confirmedAuthority(victims[i])));
        }
        for (uint256 i = 0; i < attached.length; i++) {
            all = keccak256(abi.encode(all, REGISTRY.attachment(attached[i])));
        }
        IGuardRegistry.ChangeInfo memory waiting = REGISTRY.pendingChange(attached[0], IGuardRegistry.ChangeKind.Detach);
        return keccak256(abi.encode(all, waiting, REGISTRY.attachmentsOf(address(0))));
    }
}

/// Whatever everybody does, the registry's lists say the same.
contract EverybodyTest is SequencesTest {
    Everybody private everybody;

    function setUp() external {
        _guardEverything();
        everybody = new Everybody(module, victims, attached);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(everybody);
    }

    function invariant_lists_agree() external view {
        bytes32[] memory live = REGISTRY.attachments(0, type(uint256).max);
        assert(live.length == REGISTRY.attachmentCount());
        uint256 bindings = 0;
        for (uint256 i = 0; i < live.length; i++) {
            IGuardRegistry.AttachmentInfo memory found = REGISTRY.attachment(live[i]);
            assert(found.id == live[i] && found.mode != IGuardRegistry.Mode.None && found.delay <= 30 days);
            for (uint256 j = i + 1; j < live.length; j++) assert(live[i] != live[j]);
            if (found.accounts.length == 0) assert(_lists(address(0), live[i]));
            for (uint256 j = 0; j < found.accounts.length; j++) assert(_lists(found.accounts[j], live[i]));
            bindings += found.accounts.length == 0 ? 1 : found.accounts.length;
        }
        address[] memory accounts = everybody.known();
        uint256 listed = REGISTRY.attachmentsOf(address(0)).length;
        for (uint256 i = 0; i < accounts.length; i++) {
            bytes32[] memory ids = REGISTRY.attachmentsOf(accounts[i]);
            assert(ids.length <= 16);
            listed += ids.length;
        }
        assert(listed == bindings);
    }

    function invariant_what_waits_is_listed_once() external view {
        IGuardRegistry.ChangeInfo[] memory all = REGISTRY.pendingChanges(0, type(uint256).max);
        assert(all.length == REGISTRY.pendingChangeCount());
        for (uint256 i = 0; i < all.length; i++) {
            IGuardRegistry.ChangeInfo memory found = REGISTRY.pendingChange(all[i].attachment, all[i].kind);
            assert(keccak256(abi.encode(found)) == keccak256(abi.encode(all[i])));
            for (uint256 j = i + 1; j < all.length; j++) {
                assert(all[i].attachment != all[j].attachment || all[i].kind != all[j].kind);
            }
            // What waits for an attachment is gone with it; one that is to be attached is not there yet.
            bool attaches = all[i].kind == IGuardRegistry.ChangeKind.Attach;
            try REGISTRY.attachment(all[i].attachment) {
                assert(!attaches);
            } catch {
                assert(attaches);
            }
        }
    }

    function _lists(address account, bytes32 id) private view returns (bool found) {
        bytes32[] memory ids = REGISTRY.attachmentsOf(account);
        for (uint256 i = 0; i < ids.length; i++) found = found || ids[i] == id;
    }
}
