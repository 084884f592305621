// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The registry of guards and their attachments
/// @notice Present from genesis at 0x5061726170657400000000000000000000000001. A guard is a Wasm module, addressed
/// by the keccak256 of its bytes. An attachment binds a guard to accounts; from then on the guard judges every
/// transaction that touches them.
/// @dev Who may attach and change: for every account of the attachment, the account itself or the current answer
/// of its `owner()`; for an attachment of no account, which guards the whole chain, `governance()`. A change to what already holds succeeds and leaves no trace: no event, the same `head`.
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

    /// @notice The arguments of `attach`.
    /// @param module keccak256 of the guard's Wasm bytes; must be registered
    /// @param accounts 1 to 64 different accounts; none for the whole chain
    /// @param configuration the guard's parameters, 0 to 4,096 bytes
    /// @param mode `Shadow` or `Enforce`
    /// @param failure outcome of a guard that cannot finish
    /// @param priority lower judges first
    /// @param fuelMax fuel for one judgement, 1 to 100,000,000; 0 takes the default of 10,000,000
    struct AttachRequest {
        bytes32 module;
        address[] accounts;
        bytes configuration;
        Mode mode;
        Failure failure;
        uint32 priority;
        uint64 fuelMax;
    }

    /// @notice A registered module. `chunks` are data contracts: their code is one zero byte, then the bytes.
    struct ModuleInfo {
        bytes32 module;
        address uploader;
        uint32 size;
        uint64 registeredAt;
        address[] chunks;
    }

    /// @notice An attachment as it stands. `manager` is the account that made it; `attachedAt` a block number.
    struct AttachmentInfo {
        bytes32 id;
        bytes32 module;
        address manager;
        Mode mode;
        Failure failure;
        bool paused;
        uint32 priority;
        uint64 fuelMax;
        uint64 attachedAt;
        address[] accounts;
        bytes configuration;
    }

    event ChunkUploaded(bytes32 indexed module, address indexed uploader, uint256 index, address chunk);
    event ModuleRegistered(bytes32 indexed module, address indexed uploader, uint32 size);
    event Attached(
        bytes32 indexed attachment, bytes32 indexed module, address indexed manager, address[] accounts, Mode mode
    );
    event ModeChanged(bytes32 indexed attachment, Mode mode);
    event ConfigurationChanged(bytes32 indexed attachment, bytes configuration);
    event Detached(bytes32 indexed attachment);
    event Paused(bytes32 indexed attachment);
    event Unpaused(bytes32 indexed attachment);
    event GuardianChanged(address indexed previous, address indexed current);
    event GovernanceChanged(address indexed previous, address indexed current);

    /// @notice Output of a vetoed transaction. The node raises it, the registry never does; it is declared here so
    /// that a client which knows this interface can decode it.
    /// @param guard the account whose code holds the first bytes of the guard's module (the first of its chunks); the
    /// registry itself when it refuses what a transaction registers or attaches
    /// @param attachment the attachment that vetoed
    /// @param code the guard's own reason code, or from 0xff00 up the engine's
    /// @param detail the guard's own explanation
    error GuardVeto(address guard, bytes32 attachment, uint16 code, bytes detail);

    error ChunkIndexOutOfOrder(bytes32 module, uint256 index, uint256 next);
    error ChunkIndexTooLarge(uint256 index, uint256 indexMax);
    error ChunkSizeOutOfRange(uint256 size, uint256 sizeMax);
    error ChunkNotStored(bytes32 module, uint256 index);
    error UploadMissing(bytes32 module, address uploader);
    error ModuleTooLarge(bytes32 module, uint256 size, uint256 sizeMax);
    error ModuleHashMismatch(bytes32 expected, bytes32 actual);
    error UnknownModule(bytes32 module);
    error UnknownAttachment(bytes32 attachment);
    error AccountCountOutOfRange(uint256 count, uint256 countMax);
    error DuplicateAccount(address account);
    error AttachmentsOfAccountFull(address account, uint256 countMax);
    error ConfigurationTooLarge(uint256 size, uint256 sizeMax);
    error FuelTooLarge(uint64 fuel, uint64 fuelMax);
    error ModeMissing();
    error NoAuthority(address account, address sender);
    error NotGuardian(address sender);
    error GuardianMissing();
    error NotGovernance(address sender);
    error GovernanceMissing();

    /// @notice Stores one chunk of a module. Uploads are kept per sender, so nobody can disturb another's.
    /// @param module keccak256 of the whole module
    /// @param index the next free index, or an earlier one to replace that chunk
    /// @param chunk 1 to 24,575 bytes
    function uploadChunk(bytes32 module, uint256 index, bytes calldata chunk) external;

    /// @notice Registers the module that the sender uploaded and clears the upload. Succeeds without a change when
    /// the module is registered already.
    function registerModule(bytes32 module) external;

    /// @notice Binds a guard to accounts over which the sender has authority.
    /// @return id names the attachment on every chain: it commits to chain, registry, sender and a counter
    function attach(AttachRequest calldata request) external returns (bytes32 id);

    /// @notice Binds a guard to no account: every frame and every flow of the chain wakes it. At most 16 such attachments
    /// stand at a time; `attachmentsOf(address(0))` lists them. Governance only.
    function attachChainWide(AttachRequest calldata request) external returns (bytes32 id);

    /// @notice Moves an attachment between `Shadow` and `Enforce`.
    function setMode(bytes32 id, Mode mode) external;

    /// @notice Replaces the parameters of an attachment's guard.
    function setConfiguration(bytes32 id, bytes calldata configuration) external;

    /// @notice Removes an attachment.
    function detach(bytes32 id) external;

    /// @notice Stops an attachment from judging, at once. Guardian only.
    function pause(bytes32 id) external;

    /// @notice Lets a paused attachment judge again. Guardian only.
    function unpause(bytes32 id) external;

    /// @notice Hands the guardian's office to another account. Guardian only.
    function setGuardian(address guardian) external;

    /// @notice Hands governance to another account. Governance only.
    function setGovernance(address governance) external;

    /// @notice A hash chain over every change that matters to judging: a unique name for the registry's content.
    function head() external view returns (bytes32);

    /// @notice The account that may pause any attachment, and add none.
    function guardian() external view returns (address);

    /// @notice The account that may attach guards to the whole chain; zero: nobody may.
    function governance() external view returns (address);

    function moduleCount() external view returns (uint256);

    /// @notice Hashes of registered modules in order of registration; shorter than `limit` at the end.
    function modules(uint256 offset, uint256 limit) external view returns (bytes32[] memory);

    /// @notice Reverts with `UnknownModule` when the module is not registered.
    function moduleInfo(bytes32 module) external view returns (ModuleInfo memory);

    /// @notice The Wasm bytes of a registered module.
    function moduleCode(bytes32 module) external view returns (bytes memory);

    /// @notice The chunks of an upload that is under way.
    function uploadedChunks(address uploader, bytes32 module) external view returns (address[] memory);

    function attachmentCount() external view returns (uint256);

    /// @notice Ids of live attachments, in no lasting order; shorter than `limit` at the end.
    function attachments(uint256 offset, uint256 limit) external view returns (bytes32[] memory);

    /// @notice Reverts with `UnknownAttachment` when there is none.
    function attachment(bytes32 id) external view returns (AttachmentInfo memory);

    /// @notice Ids of the attachments that an account has, at most 16.
    function attachmentsOf(address account) external view returns (bytes32[] memory);

    /// @notice Whether `who` may attach guards to `account`: it is the account, or the account's `owner()`.
    function hasAuthority(address account, address who) external view returns (bool);
}
