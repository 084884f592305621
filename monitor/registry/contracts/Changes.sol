// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Authority} from "./Authority.sol";

/// @title Changes that wait
/// @dev An attachment has at most one waiting change of each kind. Whoever proposed it must still be entitled to it when it is
/// applied, so that what a thief or a former owner set going dies with their authority.
abstract contract Changes is Authority {
    function applyChange(bytes32 id, ChangeKind kind) external {
        Change memory change = _waiting(id, kind);
        require(block.timestamp >= change.readyAt, ChangeNotReady(id, kind, change.readyAt));
        uint256 lapsesAt = change.readyAt + CHANGE_SECONDS_MAX;
        require(block.timestamp <= lapsesAt, ChangeLapsed(id, kind, lapsesAt));
        _authorise(id, kind, change.arguments, change.proposer);
        _forget(_key(id, kind));
        emit ChangeApplied(id, kind);
        _perform(id, kind, change.arguments, change.proposer);
    }

    /// @dev A cancellation leaves things as they are, so one voice is enough. A manager may stop anything but its dismissal;
    /// what has lapsed anyone may clear away.
    function cancelChange(bytes32 id, ChangeKind kind) external {
        Change memory change = _waiting(id, kind);
        (address manager, address[] memory accounts) = (attachmentById[id].manager, attachmentById[id].accounts);
        if (kind == ChangeKind.Attach) {
            AttachRequest memory request = abi.decode(change.arguments, (AttachRequest));
            (manager, accounts) = (request.manager, request.accounts);
        }
        bool lapsed = block.timestamp > change.readyAt + CHANGE_SECONDS_MAX;
        bool entitled = lapsed || _mayStop(kind == ChangeKind.Manager ? address(0) : manager, accounts);
        require(entitled, NotEntitled(id, msg.sender));
        _forget(_key(id, kind));
        emit ChangeCancelled(id, kind, msg.sender);
    }

    /// @dev The node counts towards a demotion as long as the revision is the same.
    function keep(bytes32 id) external {
        Attachment storage kept = _existing(id);
        require(_mayStop(kept.manager, kept.accounts), NotEntitled(id, msg.sender));
        kept.revision++;
        emit Kept(id, msg.sender);
    }

    // ---- views ----

    function pendingChangeCount() external view returns (uint256) {
        return changeKeys.length;
    }

    function pendingChanges(uint256 offset, uint256 limit) external view returns (ChangeInfo[] memory page) {
        bytes32[] memory keys = _page(changeKeys, offset, limit);
        page = new ChangeInfo[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            page[i] = _info(changeByKey[keys[i]]);
        }
    }

    function pendingChange(bytes32 id, ChangeKind kind) external view returns (ChangeInfo memory) {
        return _info(_waiting(id, kind));
    }

    // ---- for those who change ----

    /// @dev Whether `who` may do this now. Reverts if not.
    function _authorise(bytes32 id, ChangeKind kind, bytes memory arguments, address who) internal view virtual;

    function _perform(bytes32 id, ChangeKind kind, bytes memory arguments, address who) internal virtual;

    /// @dev Does it, or lets it wait in place of what waited before.
    function _propose(bytes32 id, ChangeKind kind, bytes memory arguments, uint256 wait) internal {
        bytes32 key = _key(id, kind);
        Change storage change = changeByKey[key];
        if (wait == 0) {
            if (change.position != 0) {
                _forget(key);
                emit ChangeCancelled(id, kind, msg.sender);
            }
            _perform(id, kind, arguments, msg.sender);
            return;
        }
        if (change.position == 0) {
            changeKeys.push(key);
            change.position = changeKeys.length;
        }
        change.attachment = id;
        change.proposer = msg.sender;
        change.kind = kind;
        change.readyAt = uint64(block.timestamp + wait);
        change.arguments = arguments;
        emit ChangeProposed(id, kind, msg.sender, change.readyAt, arguments);
    }

    /// @dev An attachment that is gone has nothing to wait for.
    function _forgetAll(bytes32 id) internal {
        for (uint8 kind = 0; kind <= uint8(type(ChangeKind).max); kind++) {
            _forget(_key(id, ChangeKind(kind)));
        }
    }

    // ---- leaves ----

    /// @dev Nobody sends as the zero address.
    function _mayStop(address manager, address[] memory accounts) private view returns (bool may) {
        may = msg.sender == guardian || msg.sender == manager || (accounts.length == 0 && msg.sender == governance);
        for (uint256 i = 0; i < accounts.length && !may; i++) {
            may = hasAuthority(accounts[i], msg.sender);
        }
    }

    function _key(bytes32 id, ChangeKind kind) private pure returns (bytes32) {
        return keccak256(abi.encode(id, kind));
    }

    function _waiting(bytes32 id, ChangeKind kind) private view returns (Change memory change) {
        change = changeByKey[_key(id, kind)];
        require(change.position != 0, NoPendingChange(id, kind));
    }

    function _forget(bytes32 key) private {
        uint256 position = changeByKey[key].position;
        if (position == 0) return;
        bytes32 last = changeKeys[changeKeys.length - 1];
        changeKeys[position - 1] = last;
        changeByKey[last].position = position;
        changeKeys.pop();
        delete changeByKey[key];
    }

    function _info(Change memory change) private pure returns (ChangeInfo memory) {
        return ChangeInfo({
            attachment: change.attachment,
            kind: change.kind,
            proposer: change.proposer,
            readyAt: change.readyAt,
            lapsesAt: change.readyAt + CHANGE_SECONDS_MAX,
            arguments: change.arguments
        });
    }
}
