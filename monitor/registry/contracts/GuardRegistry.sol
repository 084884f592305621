// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../../../sdk/solidity/IGuardRegistry.sol";
import {Changes} from "./Changes.sol";
import {Modules} from "./Modules.sol";
import {Offices} from "./Offices.sol";

/// @title The registry: guards and attachments as ordinary state
/// @notice Its runtime code stands in genesis at 0x5061726170657400000000000000000000000001. It has no constructor:
/// genesis also writes the guardian into slot 1 and governance into slot 10, and gives the account nonce 1 like any created
/// contract.
/// @dev The layout is in `RegistryStorage`, who may do what in `_authorise`.
///
/// The only calls outward are questions by STATICCALL (`Authority`) and the creation of data contracts whose init code is
/// written here (`Modules`), so nothing can enter this contract half way through a change.
contract GuardRegistry is Modules, Offices, Changes {
    /// By what someone may act for accounts.
    enum Entitled {
        ByAuthority,
        AsManager
    }

    /// What a change asks of the accounts: that they are in confirmed hands, or nothing.
    enum Demand {
        None,
        Confirmed
    }

    // ---- attachments ----

    function attach(AttachRequest calldata request) external returns (bytes32 id) {
        uint256 count = request.accounts.length;
        require(count != 0 && count <= ACCOUNTS_MAX, AccountCountOutOfRange(count, ACCOUNTS_MAX));
        return _attach(request);
    }

    function attachChainWide(AttachRequest calldata request) external returns (bytes32 id) {
        require(request.accounts.length == 0, AccountCountOutOfRange(request.accounts.length, 0));
        return _attach(request);
    }

    function setMode(bytes32 id, Mode mode) external {
        require(mode != Mode.None, ModeMissing());
        _change(id, ChangeKind.Mode, abi.encode(mode));
    }

    function setConfiguration(bytes32 id, bytes calldata configuration) external {
        upgrade(id, _existing(id).module, configuration);
    }

    function upgrade(bytes32 id, bytes32 module, bytes calldata configuration) public {
        _checkRegistered(module);
        _checkConfiguration(configuration.length);
        _change(id, ChangeKind.Content, abi.encode(module, configuration));
    }

    function setTerms(bytes32 id, Terms calldata terms) external {
        _change(id, ChangeKind.Terms, abi.encode(_checked(terms)));
    }

    function setDelay(bytes32 id, uint32 delay) external {
        _checkDelay(delay);
        _change(id, ChangeKind.Delay, abi.encode(delay));
    }

    function unpause(bytes32 id) external {
        _change(id, ChangeKind.Unpause, "");
    }

    function detach(bytes32 id) external {
        _change(id, ChangeKind.Detach, "");
    }

    // ---- managers ----

    /// @dev A manager hands its own office on; others dismiss it, and wait.
    function proposeManager(bytes32 id, address next) external {
        Attachment storage found = _existing(id);
        if (msg.sender != found.manager) {
            _change(id, ChangeKind.Manager, abi.encode(next));
            return;
        }
        found.proposedManager = next;
        emit ManagerProposed(id, next);
    }

    function acceptManager(bytes32 id) external {
        Attachment storage found = _existing(id);
        require(msg.sender == found.proposedManager, NotProposed(msg.sender));
        emit ManagerChanged(id, found.manager, msg.sender);
        found.manager = msg.sender;
        delete found.proposedManager;
    }

    // ---- the guardian, and the chain itself ----

    function pause(bytes32 id) external onlyGuardian {
        Attachment storage paused = _existing(id);
        if (paused.paused) return;
        paused.paused = true;
        paused.revision++;
        _advance(abi.encode(this.pause.selector, id));
        emit Paused(id);
    }

    function demote(bytes32 id) external {
        require(msg.sender == SYSTEM, NotSystem(msg.sender));
        Attachment storage demoted = attachmentById[id];
        if (demoted.mode != Mode.Enforce || demoted.terms.demotionShare == 0) return;
        demoted.mode = Mode.Shadow;
        demoted.demoted = true;
        demoted.revision++;
        _advance(abi.encode(this.demote.selector, id));
        emit Demoted(id);
    }

    // ---- views ----

    function attachmentCount() external view returns (uint256) {
        return attachmentIds.length;
    }

    function attachments(uint256 offset, uint256 limit) external view returns (bytes32[] memory) {
        return _page(attachmentIds, offset, limit);
    }

    function attachment(bytes32 id) public view returns (AttachmentInfo memory) {
        Attachment storage found = _existing(id);
        return AttachmentInfo({
            id: id,
            module: found.module,
            manager: found.manager,
            proposedManager: found.proposedManager,
            mode: found.mode,
            paused: found.paused,
            demoted: found.demoted,
            delay: found.delay,
            revision: found.revision,
            attachedAt: found.attachedAt,
            accounts: found.accounts,
            configuration: found.configuration,
            terms: found.terms
        });
    }

    function attachmentsOf(address account) external view returns (bytes32[] memory) {
        return idsByAccount[account];
    }

    // ---- entitlement ----

    /// @dev Authority is judged anew at every change: whoever owned the accounts at attachment has no say later. A manager
    /// acts for the accounts as long as those who appointed or confirmed it hold them. What adds to a guard waits for whoever
    /// holds the accounts to confirm.
    function _authorise(bytes32 id, ChangeKind kind, bytes memory arguments, address who) internal view override {
        if (kind == ChangeKind.Attach) {
            address[] memory joined = abi.decode(arguments, (AttachRequest)).accounts;
            return _authoriseOver(joined, who, Entitled.ByAuthority, Demand.Confirmed);
        }
        Attachment storage found = _existing(id);
        if (kind == ChangeKind.Unpause && who == guardian) return;
        bool isManagers = kind == ChangeKind.Mode || kind == ChangeKind.Content || kind == ChangeKind.Terms;
        _authoriseOver(
            found.accounts,
            who,
            isManagers && who == found.manager ? Entitled.AsManager : Entitled.ByAuthority,
            _onlyLoosens(kind, arguments) ? Demand.None : Demand.Confirmed
        );
    }

    function _authoriseOver(address[] memory accounts, address who, Entitled entitled, Demand demand) private view {
        bool managed = entitled == Entitled.AsManager;
        require(accounts.length != 0 || managed || who == governance, NotGovernance(who));
        for (uint256 i = 0; i < accounts.length; i++) {
            Standing memory standing = _standing(accounts[i]);
            bool has = _has(accounts[i], who, standing);
            require(has || managed, NoAuthority(accounts[i], who));
            if (!has || demand == Demand.Confirmed) _checkConfirmed(accounts[i], standing);
        }
    }

    /// @dev Whoever proposes an account's first guard is confirmed by that.
    function _authoriseToAttach(address[] memory accounts, address who) private {
        require(accounts.length != 0 || who == governance, NotGovernance(who));
        for (uint256 i = 0; i < accounts.length; i++) {
            Standing memory standing = _standing(accounts[i]);
            require(_has(accounts[i], who, standing), NoAuthority(accounts[i], who));
            if (idsByAccount[accounts[i]].length == 0) _confirm(accounts[i], who, standing);
            else _checkConfirmed(accounts[i], standing);
        }
    }

    function _checkConfirmed(address account, Standing memory standing) private view {
        require(_isConfirmed(account, standing), AuthorityNotConfirmed(account));
    }

    function _onlyLoosens(ChangeKind kind, bytes memory arguments) private pure returns (bool) {
        if (kind == ChangeKind.Mode) return abi.decode(arguments, (Mode)) == Mode.Shadow;
        return kind == ChangeKind.Detach || kind == ChangeKind.Manager;
    }

    // ---- proposals ----

    function _attach(AttachRequest memory request) private returns (bytes32 id) {
        _checkRegistered(request.module);
        require(request.mode != Mode.None, ModeMissing());
        _checkConfiguration(request.configuration.length);
        _checkDelay(request.delay);
        request.terms = _checked(request.terms);
        _authoriseToAttach(request.accounts, msg.sender);
        id = keccak256(abi.encode(block.chainid, address(this), msg.sender, ++attachmentNonce));
        _propose(id, ChangeKind.Attach, abi.encode(request), _waitToAttach(request));
    }

    /// @dev A change to what already holds succeeds and leaves no trace.
    function _change(bytes32 id, ChangeKind kind, bytes memory arguments) private {
        Attachment storage found = _existing(id);
        _authorise(id, kind, arguments, msg.sender);
        if (keccak256(_current(found, kind)) == keccak256(arguments)) return;
        _propose(id, kind, arguments, _larger(found.delay, delayMin()));
    }

    /// @dev A new guard may do to an account what a change of a standing one may, so it waits as long.
    function _waitToAttach(AttachRequest memory request) private view returns (uint256 wait) {
        wait = _larger(_larger(request.delay, delayMin()), request.accounts.length == 0 ? _delayOf(WHOLE_CHAIN) : 0);
        for (uint256 i = 0; i < request.accounts.length; i++) {
            wait = _larger(wait, _delayOf(request.accounts[i]));
        }
    }

    /// @dev The longest delay that an account's attachments declare.
    function _delayOf(address account) private view returns (uint256 delay) {
        bytes32[] storage ids = idsByAccount[account];
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; i++) {
            delay = _larger(delay, attachmentById[ids[i]].delay);
        }
    }

    /// @dev What a change would replace, as its arguments would say it; for those that replace nothing, what no arguments say.
    function _current(Attachment storage found, ChangeKind kind) private view returns (bytes memory) {
        if (kind == ChangeKind.Mode) return abi.encode(found.mode);
        if (kind == ChangeKind.Content) return abi.encode(found.module, found.configuration);
        if (kind == ChangeKind.Terms) return abi.encode(found.terms);
        if (kind == ChangeKind.Delay) return abi.encode(found.delay);
        if (kind == ChangeKind.Unpause && !found.paused) return "";
        return hex"00";
    }

    // ---- changes ----

    function _perform(bytes32 id, ChangeKind kind, bytes memory arguments, address who) internal override {
        if (kind == ChangeKind.Attach) return _add(id, abi.decode(arguments, (AttachRequest)), who);
        if (kind == ChangeKind.Detach) return _remove(id);
        Attachment storage changed = attachmentById[id];
        if (kind == ChangeKind.Delay) {
            changed.delay = abi.decode(arguments, (uint32));
            emit DelayChanged(id, changed.delay);
            return;
        }
        if (kind == ChangeKind.Manager) {
            address next = abi.decode(arguments, (address));
            emit ManagerChanged(id, changed.manager, address(0));
            emit ManagerProposed(id, next);
            delete changed.manager;
            changed.proposedManager = next;
            return;
        }
        changed.revision++;
        _advance(abi.encode(kind, id, arguments));
        if (kind == ChangeKind.Mode) {
            changed.mode = abi.decode(arguments, (Mode));
            changed.demoted = false;
            emit ModeChanged(id, changed.mode);
        } else if (kind == ChangeKind.Content) {
            (changed.module, changed.configuration) = abi.decode(arguments, (bytes32, bytes));
            emit ContentChanged(id, changed.module, changed.configuration);
        } else if (kind == ChangeKind.Terms) {
            changed.terms = abi.decode(arguments, (Terms));
            emit TermsChanged(id, changed.terms);
        } else {
            changed.paused = false;
            emit Unpaused(id);
        }
    }

    function _add(bytes32 id, AttachRequest memory request, address who) private {
        if (request.accounts.length == 0) _bind(id, WHOLE_CHAIN);
        for (uint256 i = 0; i < request.accounts.length; i++) {
            _bind(id, request.accounts[i]);
        }
        Attachment storage added = attachmentById[id];
        added.module = request.module;
        added.manager = request.manager;
        added.mode = request.mode;
        added.delay = request.delay;
        added.terms = request.terms;
        added.attachedAt = uint64(block.number);
        added.accounts = request.accounts;
        added.configuration = request.configuration;
        attachmentIds.push(id);
        attachmentPositions[id] = attachmentIds.length;
        _advance(abi.encode(this.attach.selector, attachment(id)));
        emit Attached(id, request.module, who, request.accounts, request.mode);
    }

    function _remove(bytes32 id) private {
        address[] memory accounts = attachmentById[id].accounts;
        if (accounts.length == 0) _unbind(id, WHOLE_CHAIN);
        for (uint256 i = 0; i < accounts.length; i++) {
            _unbind(id, accounts[i]);
        }
        delete attachmentById[id];
        _forgetAll(id);

        uint256 position = attachmentPositions[id];
        bytes32 last = attachmentIds[attachmentIds.length - 1];
        attachmentIds[position - 1] = last;
        attachmentPositions[last] = position;
        attachmentIds.pop();
        delete attachmentPositions[id];

        _advance(abi.encode(this.detach.selector, id));
        emit Detached(id);
    }

    /// @dev The new id is always last in an account's list, so a second mention of the account is seen at once.
    function _bind(bytes32 id, address account) private {
        bytes32[] storage ids = idsByAccount[account];
        uint256 count = ids.length;
        require(count == 0 || ids[count - 1] != id, DuplicateAccount(account));
        require(count < ATTACHMENTS_OF_ACCOUNT_MAX, AttachmentsOfAccountFull(account, ATTACHMENTS_OF_ACCOUNT_MAX));
        ids.push(id);
    }

    function _unbind(bytes32 id, address account) private {
        bytes32[] storage ids = idsByAccount[account];
        uint256 last = ids.length - 1;
        for (uint256 i = 0; i < last; i++) {
            if (ids[i] == id) {
                ids[i] = ids[last];
                break;
            }
        }
        ids.pop();
    }

    // ---- leaves ----

    function _checked(Terms memory terms) private pure returns (Terms memory) {
        require(terms.fuelMax <= FUEL_MAX, FuelTooLarge(terms.fuelMax, FUEL_MAX));
        require(terms.demotionShare <= SHARE_MAX, ShareTooLarge(terms.demotionShare, SHARE_MAX));
        require(terms.escapes.length <= ESCAPES_MAX, TooManyEscapes(terms.escapes.length, ESCAPES_MAX));
        if (terms.fuelMax == 0) terms.fuelMax = FUEL_DEFAULT;
        return terms;
    }

    function _checkConfiguration(uint256 size) private pure {
        require(size <= CONFIGURATION_BYTES_MAX, ConfigurationTooLarge(size, CONFIGURATION_BYTES_MAX));
    }

    function _checkDelay(uint32 delay) private pure {
        require(delay <= DELAY_SECONDS_MAX, DelayTooLong(delay, DELAY_SECONDS_MAX));
    }

    function _larger(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? b : a;
    }
}
