// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The registry of guards and their attachments
/// @notice Present from genesis at 0x5061726170657400000000000000000000000001. A guard is a Wasm module, addressed
/// by the keccak256 of its bytes. An attachment binds a guard to accounts; from then on the guard judges every
/// transaction that touches them.
///
/// Who has authority over an account: the account itself; if it is a proxy with an ERC-1967 admin, that admin and the
/// admin's `owner()`, and nobody else; otherwise its `owner()`, and whoever holds its `DEFAULT_ADMIN_ROLE`; and where it has
/// neither, the deployer, once it has proved to be that (`proveDeployer`). Over an attachment of no account, which guards the
/// whole chain: `governance()`.
///
/// What changes an attachment waits for the longer of its `delay` and `delayMin()`, in seconds of block time, and can be cancelled
/// meanwhile. Then anyone may apply it (`applyChange`), for fourteen days, provided that whoever proposed it is still entitled
/// to it. With a delay of zero it is applied in the same call.
/// @dev A change to what already holds succeeds and leaves no trace: no event, the same `head`. The reasons behind all this
/// are in `REGISTRY.md`.
interface IGuardRegistry {
    /// @notice What a verdict does: `Shadow` records it, `Enforce` acts on it. `None` marks an empty entry and is
    /// refused as an argument.
    enum Mode {
        None,
        Shadow,
        Enforce
    }

    /// @notice What follows when a guard traps or exceeds a limit: `Closed` vetoes, `Open` lets through with an alert.
    enum Failure {
        Closed,
        Open
    }

    /// @notice What a change is about, and thereby what its arguments are, ABI encoded: `Attach (AttachRequest)`,
    /// `Mode (Mode)`, `Content (bytes32 module, bytes configuration)`, `Terms (Terms)`, `Delay (uint32)`,
    /// `Manager (address next)`, `Unpause` and `Detach` none.
    enum ChangeKind {
        Attach,
        Mode,
        Content,
        Terms,
        Delay,
        Manager,
        Unpause,
        Detach
    }

    /// @notice How an attachment judges.
    /// @param failure outcome of a guard that cannot finish
    /// @param priority lower judges first
    /// @param fuelMax fuel for one judgement, 1 to 100,000,000; 0 takes the default of 10,000,000
    /// @param demotionShare from which share of vetoes, in basis points (0 to 10,000), the chain puts it in shadow; 0: never
    /// @param triggers which of the guard's triggers wake it: bit n for trigger n, in the order of its descriptor; 0: all
    /// @param escapes up to 16 selectors: calls of the attached accounts by these cannot be vetoed by this attachment
    struct Terms {
        Failure failure;
        uint32 priority;
        uint64 fuelMax;
        uint16 demotionShare;
        uint32 triggers;
        bytes4[] escapes;
    }

    /// @notice The arguments of `attach`.
    /// @param module keccak256 of the guard's Wasm bytes; must be registered
    /// @param accounts 1 to 64 different accounts; none for the whole chain
    /// @param configuration the guard's parameters, 0 to 4,096 bytes
    /// @param mode `Shadow` or `Enforce`
    /// @param manager who runs the guard for the accounts; zero: nobody
    /// @param delay seconds that changes wait, at most 2,592,000 (thirty days)
    /// @param terms how it judges
    struct AttachRequest {
        bytes32 module;
        address[] accounts;
        bytes configuration;
        Mode mode;
        address manager;
        uint32 delay;
        Terms terms;
    }

    /// @notice A registered module. `chunks` are data contracts: their code is one zero byte, then the bytes.
    struct ModuleInfo {
        bytes32 module;
        address uploader;
        uint32 size;
        uint64 registeredAt;
        address[] chunks;
    }

    /// @notice An attachment as it stands.
    /// @param proposedManager who may accept the manager's office; zero: nobody
    /// @param paused the guardian stopped it
    /// @param demoted the chain put it in shadow, for its share of vetoes, and nobody has set the mode since
    /// @param revision how often what it judges by has changed
    /// @param attachedAt a block number
    struct AttachmentInfo {
        bytes32 id;
        bytes32 module;
        address manager;
        address proposedManager;
        Mode mode;
        bool paused;
        bool demoted;
        uint32 delay;
        uint32 revision;
        uint64 attachedAt;
        address[] accounts;
        bytes configuration;
        Terms terms;
    }

    /// @notice A change that waits.
    /// @param attachment what it changes, or the name that what it attaches will have
    /// @param readyAt the first block time, in seconds since 1970, at which anyone may apply it
    /// @param lapsesAt the last one
    /// @param arguments by `kind`, see there
    struct ChangeInfo {
        bytes32 attachment;
        ChangeKind kind;
        address proposer;
        uint64 readyAt;
        uint64 lapsesAt;
        bytes arguments;
    }

    /// @notice A chunk of a module was stored.
    /// @param chunk the data contract that holds it
    event ChunkUploaded(bytes32 indexed module, address indexed uploader, uint256 index, address chunk);
    /// @notice A module is complete and can be attached.
    /// @param size in bytes
    event ModuleRegistered(bytes32 indexed module, address indexed uploader, uint32 size);
    /// @notice A guard judges these accounts from the next transaction on; no accounts: the whole chain.
    /// @param by whoever proposed it
    event Attached(bytes32 indexed attachment, bytes32 indexed module, address indexed by, address[] accounts, Mode mode);
    /// @notice An attachment's mode was set.
    event ModeChanged(bytes32 indexed attachment, Mode mode);
    /// @notice An attachment has another guard, or other parameters.
    event ContentChanged(bytes32 indexed attachment, bytes32 indexed module, bytes configuration);
    /// @notice An attachment judges by other terms.
    event TermsChanged(bytes32 indexed attachment, Terms terms);
    /// @notice Changes of an attachment wait for so many seconds.
    event DelayChanged(bytes32 indexed attachment, uint32 delay);
    /// @notice The manager's office is offered; zero: to nobody any more.
    event ManagerProposed(bytes32 indexed attachment, address indexed proposed);
    /// @notice The manager's office passed on; zero: it is vacant.
    event ManagerChanged(bytes32 indexed attachment, address indexed previous, address indexed current);
    /// @notice An attachment is gone.
    event Detached(bytes32 indexed attachment);
    /// @notice The guardian stopped an attachment.
    event Paused(bytes32 indexed attachment);
    /// @notice An attachment judges again.
    event Unpaused(bytes32 indexed attachment);
    /// @notice The chain itself put an attachment in shadow.
    event Demoted(bytes32 indexed attachment);
    /// @notice What was counted towards an attachment's demotion is forgotten.
    event Kept(bytes32 indexed attachment, address indexed by);
    /// @notice A change waits. One of the same kind that waited before is replaced.
    event ChangeProposed(
        bytes32 indexed attachment, ChangeKind indexed kind, address indexed proposer, uint64 readyAt, bytes arguments
    );
    /// @notice A change that waited is done; what it did is in the event that follows.
    event ChangeApplied(bytes32 indexed attachment, ChangeKind indexed kind);
    /// @notice A change that waited will not be done: it was stopped, or the same was done at once.
    event ChangeCancelled(bytes32 indexed attachment, ChangeKind indexed kind, address indexed by);
    /// @notice In whose hands an account is taken to be from now on.
    event AuthorityConfirmed(address indexed account, address indexed authority);
    /// @notice Who created an account is known.
    event DeployerProved(address indexed account, address indexed deployer);
    /// @notice The guardian's office is offered.
    event GuardianProposed(address indexed proposed);
    /// @notice The guardian's office passed on.
    event GuardianChanged(address indexed previous, address indexed current);
    /// @notice Governance is offered.
    event GovernanceProposed(address indexed proposed);
    /// @notice Governance passed on.
    event GovernanceChanged(address indexed previous, address indexed current);
    /// @notice The least delay is `next` from the block time `nextAt` on.
    event DelayMinChanged(uint32 current, uint32 next, uint64 nextAt);

    /// @notice Output of a vetoed transaction. The node raises it, the registry never does; it is declared here so
    /// that a client which knows this interface can decode it.
    /// @param guard the account whose code holds the first bytes of the guard's module (the first of its chunks); the
    /// registry itself when it refuses what a transaction registers or attaches
    /// @param attachment the attachment that vetoed
    /// @param code the guard's own reason code, or from 0xff00 up the engine's
    /// @param detail the guard's own explanation
    error GuardVeto(address guard, bytes32 attachment, uint16 code, bytes detail);

    /// @notice Chunks are uploaded in order: `next` is the highest index that can be given.
    error ChunkIndexOutOfOrder(bytes32 module, uint256 index, uint256 next);
    /// @notice No module has so many chunks.
    error ChunkIndexTooLarge(uint256 index, uint256 indexMax);
    /// @notice A chunk is empty, or larger than a data contract can be.
    error ChunkSizeOutOfRange(uint256 size, uint256 sizeMax);
    /// @notice The data contract could not be created: the transaction needs more gas.
    error ChunkNotStored(bytes32 module, uint256 index);
    /// @notice The uploader has uploaded nothing of the module.
    error UploadMissing(bytes32 module, address uploader);
    /// @notice The uploaded chunks are too large together.
    error ModuleTooLarge(bytes32 module, uint256 size, uint256 sizeMax);
    /// @notice The uploaded chunks are not those of the module.
    error ModuleHashMismatch(bytes32 expected, bytes32 actual);
    /// @notice The module is not registered.
    error UnknownModule(bytes32 module);
    /// @notice There is no such attachment, or not yet.
    error UnknownAttachment(bytes32 attachment);
    /// @notice No or too many accounts; or any, for the whole chain.
    error AccountCountOutOfRange(uint256 count, uint256 countMax);
    /// @notice An account is named twice.
    error DuplicateAccount(address account);
    /// @notice The account has as many attachments as it can; the zero address stands for the whole chain.
    error AttachmentsOfAccountFull(address account, uint256 countMax);
    /// @notice The guard's parameters are too long, in bytes.
    error ConfigurationTooLarge(uint256 size, uint256 sizeMax);
    /// @notice No judgement may have so much fuel.
    error FuelTooLarge(uint64 fuel, uint64 fuelMax);
    /// @notice A share of more than the whole, in basis points.
    error ShareTooLarge(uint16 share, uint16 shareMax);
    /// @notice Too many escape selectors.
    error TooManyEscapes(uint256 count, uint256 countMax);
    /// @notice A delay of so many seconds could not be outlived.
    error DelayTooLong(uint32 delay, uint32 delayMax);
    /// @notice A mode is `Shadow` or `Enforce`.
    error ModeMissing();
    /// @notice The sender, or whoever proposed a change that is to be applied, has no authority over the account.
    error NoAuthority(address account, address who);
    /// @notice The account changed hands since its first guard was attached: whoever has authority must `confirmAuthority`.
    error AuthorityNotConfirmed(address account);
    /// @notice The node does not tell the account's ERC-1967 admin: this is not a chain of Parapet's.
    error AdminUnreadable(address account);
    /// @notice The account is not where this deployer's creation is.
    error NotDeployer(address account, address sender);
    /// @notice Too little gas is left to give an account the gas that it may use to answer.
    error GasTooLow(uint256 gasNeeded);
    /// @notice Only the guardian may do that.
    error NotGuardian(address sender);
    /// @notice Only governance may do that.
    error NotGovernance(address who);
    /// @notice Only the chain itself may do that.
    error NotSystem(address sender);
    /// @notice The sender was not proposed for the office.
    error NotProposed(address sender);
    /// @notice The sender may not cancel that.
    error NotEntitled(bytes32 attachment, address sender);
    /// @notice No change of this kind waits for the attachment.
    error NoPendingChange(bytes32 attachment, ChangeKind kind);
    /// @notice The change waits until the block time `readyAt`.
    error ChangeNotReady(bytes32 attachment, ChangeKind kind, uint256 readyAt);
    /// @notice The change could be applied until the block time `lapsedAt`.
    error ChangeLapsed(bytes32 attachment, ChangeKind kind, uint256 lapsedAt);

    // ---- modules ----

    /// @notice Stores one chunk of a module. Uploads are kept per sender, so nobody can disturb another's.
    /// @param module keccak256 of the whole module
    /// @param index the next free index, or an earlier one to replace that chunk
    /// @param chunk 1 to 24,575 bytes
    function uploadChunk(bytes32 module, uint256 index, bytes calldata chunk) external;

    /// @notice Registers the module that the sender uploaded and clears the upload. Succeeds without a change when
    /// the module is registered already. The node vets it: what cannot run is refused by `GuardVeto`.
    function registerModule(bytes32 module) external;

    // ---- attachments ----

    /// @notice Binds a guard to accounts, over all of which the sender must have authority. Waits for the longest of the
    /// declared delay, `delayMin()`, and the delays of those attachments that the accounts have.
    /// @return id names the attachment on every chain: it commits to chain, registry, sender and a counter
    function attach(AttachRequest calldata request) external returns (bytes32 id);

    /// @notice Binds a guard to no account: every frame and every flow of the chain wakes it. At most 16 such attachments
    /// stand at a time; `attachmentsOf(address(0))` lists them. Governance only.
    function attachChainWide(AttachRequest calldata request) external returns (bytes32 id);

    /// @notice Moves an attachment between `Shadow` and `Enforce`. By authority over all accounts, or the manager.
    function setMode(bytes32 id, Mode mode) external;

    /// @notice Replaces the parameters of an attachment's guard. As `upgrade`, with the module that it has now.
    function setConfiguration(bytes32 id, bytes calldata configuration) external;

    /// @notice Replaces an attachment's guard and its parameters, and keeps its name and with it the guard's state. The node
    /// vets both when this is applied; what it refuses stays as it was. By authority over all accounts, or the manager.
    function upgrade(bytes32 id, bytes32 module, bytes calldata configuration) external;

    /// @notice Replaces how an attachment judges. By authority over all accounts, or the manager.
    function setTerms(bytes32 id, Terms calldata terms) external;

    /// @notice Changes for how long changes wait; itself waits for as long as holds until then. By authority over all accounts.
    function setDelay(bytes32 id, uint32 delay) external;

    /// @notice Removes an attachment, and all that waits for it. By authority over all accounts.
    function detach(bytes32 id) external;

    // ---- changes that wait ----

    /// @notice Does a change that has waited long enough. Anyone may, but whoever proposed it must still be entitled to it.
    function applyChange(bytes32 id, ChangeKind kind) external;

    /// @notice Drops a change that waits. By authority over any of the accounts, the guardian, or the manager (who cannot stop
    /// its own dismissal, `ChangeKind.Manager`); by governance where the whole chain is guarded.
    function cancelChange(bytes32 id, ChangeKind kind) external;

    /// @notice Lets an attachment go on as it is although it vetoes more than it declared: what was counted towards its demotion so far
    /// is forgotten. At once. By whoever may cancel a change of it.
    function keep(bytes32 id) external;

    // ---- managers ----

    /// @notice Hands a manager's office on, once `next` accepts it. The manager itself does so at once. By authority over all
    /// accounts it waits like other changes, and then the office is vacant until `next` accepts; zero: it stays vacant.
    function proposeManager(bytes32 id, address next) external;

    /// @notice Takes the office that was offered to the sender.
    function acceptManager(bytes32 id) external;

    // ---- authority ----

    /// @notice Shows that the sender created `account` by CREATE with this nonce. The sender has authority over it as long as it
    /// has neither an owner, nor roles, nor an ERC-1967 admin.
    function proveDeployer(address account, uint64 nonce) external;

    /// @notice As `proveDeployer`, for CREATE2. The sender is the factory itself: salt and hash are public, so they prove nothing
    /// about anybody else.
    function proveDeployer2(address account, bytes32 salt, bytes32 initCodeHash) external;

    /// @notice Takes an account over that changed hands, as it is guarded now. Until then nothing can be added to its guards,
    /// though they can be removed. By authority over the account.
    function confirmAuthority(address account) external;

    // ---- offices of the chain ----

    /// @notice Stops an attachment from judging, at once. Guardian only.
    function pause(bytes32 id) external;

    /// @notice Lets a paused attachment judge again, after its delay. By the guardian, or authority over all accounts.
    function unpause(bytes32 id) external;

    /// @notice Offers the guardian's office. By the guardian, or governance.
    function proposeGuardian(address next) external;

    /// @notice Takes the guardian's office, when it was offered to the sender.
    function acceptGuardian() external;

    /// @notice Offers governance. Governance only.
    function proposeGovernance(address next) external;

    /// @notice Takes governance, when it was offered to the sender.
    function acceptGovernance() external;

    /// @notice Sets the least delay of the chain, in seconds, at most 2,592,000. A longer one holds at once, a shorter one after
    /// the delay that holds until then. Governance only.
    function setDelayMin(uint32 delay) external;

    /// @notice Puts an enforcing attachment that declared a share of vetoes in shadow. Only the chain itself
    /// (0xfffffffffffffffffffffffffffffffffffffffe) calls this.
    function demote(bytes32 id) external;

    // ---- views ----

    /// @notice A hash chain over every change that matters to judging: a unique name for the registry's content.
    function head() external view returns (bytes32);

    /// @notice The account that may pause any attachment, and add none.
    function guardian() external view returns (address);

    /// @notice The account that may attach guards to the whole chain; zero: nobody may.
    function governance() external view returns (address);

    /// @notice Who may accept the guardian's office.
    function proposedGuardian() external view returns (address);

    /// @notice Who may accept governance.
    function proposedGovernance() external view returns (address);

    /// @notice The least that changes of attachments wait, in seconds.
    function delayMin() external view returns (uint32);

    /// @notice Number of registered modules.
    function moduleCount() external view returns (uint256);

    /// @notice Hashes of registered modules in order of registration; shorter than `limit` at the end.
    function modules(uint256 offset, uint256 limit) external view returns (bytes32[] memory);

    /// @notice Reverts with `UnknownModule` when the module is not registered.
    function moduleInfo(bytes32 module) external view returns (ModuleInfo memory);

    /// @notice The Wasm bytes of a registered module.
    function moduleCode(bytes32 module) external view returns (bytes memory);

    /// @notice The chunks of an upload that is under way, at most 22.
    function uploadedChunks(address uploader, bytes32 module) external view returns (address[] memory);

    /// @notice Number of live attachments.
    function attachmentCount() external view returns (uint256);

    /// @notice Ids of live attachments, in no lasting order; shorter than `limit` at the end.
    function attachments(uint256 offset, uint256 limit) external view returns (bytes32[] memory);

    /// @notice Reverts with `UnknownAttachment` when there is none. Its lists are short: 64 accounts and 16 escapes at most.
    function attachment(bytes32 id) external view returns (AttachmentInfo memory);

    /// @notice Ids of the attachments that an account has, at most 16.
    function attachmentsOf(address account) external view returns (bytes32[] memory);

    /// @notice Number of changes that wait, lapsed ones among them.
    function pendingChangeCount() external view returns (uint256);

    /// @notice Changes that wait, in no lasting order; shorter than `limit` at the end.
    function pendingChanges(uint256 offset, uint256 limit) external view returns (ChangeInfo[] memory);

    /// @notice Reverts with `NoPendingChange` when none of this kind waits.
    function pendingChange(bytes32 id, ChangeKind kind) external view returns (ChangeInfo memory);

    /// @notice Whether `who` may attach guards to `account`.
    function hasAuthority(address account, address who) external view returns (bool);

    /// @notice In whose hands an account was when its first guard was attached, or when that was last confirmed.
    function confirmedAuthority(address account) external view returns (address);

    /// @notice Whether an account is still in those hands.
    function isConfirmed(address account) external view returns (bool);

    /// @notice Who proved to have created an account; zero: nobody.
    function deployerOf(address account) external view returns (address);
}
