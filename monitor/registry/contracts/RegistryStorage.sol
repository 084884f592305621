// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../../../sdk/solidity/IGuardRegistry.sol";

/// @title All that the registry keeps, and every bound on it
/// @dev The node reads this storage directly, so the layout is fixed. Fields may be added after the last slot, never moved.
/// All state stands here, so that no order of inheritance can shift it.
///
/// | slot | holds |
/// |---|---|
/// | 0 | `bytes32 head` |
/// | 1 | `address guardian` |
/// | 2 | `bytes32[] attachmentIds`, the live ones |
/// | 3 | `mapping(bytes32 id => Attachment) attachmentById`, the live ones |
/// | 4 | `mapping(address account => bytes32[] ids) idsByAccount`, those of the whole chain under the zero address |
/// | 5 | `bytes32[] moduleHashes` |
/// | 6 | `mapping(bytes32 module => Module) moduleByHash` |
/// | 7 | `mapping(address uploader => mapping(bytes32 module => address[] chunks)) uploads` |
/// | 8 | `uint256 attachmentNonce` |
/// | 9 | `mapping(bytes32 id => uint256) attachmentPositions`, one plus the id's index in slot 2; only `detach` needs it |
/// | 10 | `address governance` |
/// | 11 | `address proposedGuardian` |
/// | 12 | `address proposedGovernance` |
/// | 13 | `Minimum minimum`, the chain's least delay |
/// | 14 | `mapping(address account => address) confirmedAuthority` |
/// | 15 | `mapping(address account => address) deployerOf`, as proved |
/// | 16 | `bytes32[] changeKeys`, of changes that wait |
/// | 17 | `mapping(bytes32 key => Change) changeByKey`, by keccak256 of attachment and kind |
abstract contract RegistryStorage is IGuardRegistry {
    /// Most bytes a data contract holds: the code size limit of 24,576 less the zero byte that makes it inert.
    uint256 internal constant CHUNK_BYTES_MAX = 24_575;
    uint256 internal constant MODULE_BYTES_MAX = 524_288;
    /// Full chunks that a module of the largest size takes.
    uint256 internal constant CHUNKS_MAX = (MODULE_BYTES_MAX + CHUNK_BYTES_MAX - 1) / CHUNK_BYTES_MAX;
    uint256 internal constant ACCOUNTS_MAX = 64;
    uint256 internal constant ATTACHMENTS_OF_ACCOUNT_MAX = 16;
    uint256 internal constant CONFIGURATION_BYTES_MAX = 4_096;
    uint256 internal constant ESCAPES_MAX = 16;
    uint64 internal constant FUEL_MAX = 100_000_000;
    uint64 internal constant FUEL_DEFAULT = 10_000_000;
    /// A whole, in basis points.
    uint16 internal constant SHARE_MAX = 10_000;
    /// Thirty days: a delay that nobody can outlive would be a guard that nobody can remove.
    uint32 internal constant DELAY_SECONDS_MAX = 2_592_000;
    /// Fourteen days. After that a change that nobody applied has lapsed, so that nobody can save it up for a bad moment.
    uint64 internal constant CHANGE_SECONDS_MAX = 1_209_600;

    /// Under this key stand the attachments of no account. Nobody has authority over it, so nobody else can attach there.
    address internal constant WHOLE_CHAIN = address(0);
    /// Whoever the chain itself is when it calls (EIP-4788).
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;

    struct Attachment {
        bytes32 module;
        address manager;
        Mode mode;
        bool paused;
        bool demoted;
        uint32 delay;
        uint32 revision;
        Terms terms;
        address proposedManager;
        uint64 attachedAt;
        address[] accounts;
        bytes configuration;
    }

    struct Module {
        address uploader;
        uint32 size;
        uint64 registeredAt;
        address[] chunks;
    }

    struct Minimum {
        uint32 current;
        uint32 next;
        uint64 nextAt;
    }

    struct Change {
        bytes32 attachment;
        address proposer;
        ChangeKind kind;
        uint64 readyAt;
        uint256 position;
        bytes arguments;
    }

    bytes32 public head;
    address public guardian;
    bytes32[] internal attachmentIds;
    mapping(bytes32 id => Attachment) internal attachmentById;
    mapping(address account => bytes32[] ids) internal idsByAccount;
    bytes32[] internal moduleHashes;
    mapping(bytes32 module => Module) internal moduleByHash;
    mapping(address uploader => mapping(bytes32 module => address[] chunks)) internal uploads;
    uint256 internal attachmentNonce;
    mapping(bytes32 id => uint256 indexPlusOne) internal attachmentPositions;
    address public governance;
    address public proposedGuardian;
    address public proposedGovernance;
    Minimum internal minimum;
    mapping(address account => address) public confirmedAuthority;
    mapping(address account => address) public deployerOf;
    bytes32[] internal changeKeys;
    mapping(bytes32 key => Change) internal changeByKey;

    modifier onlyGuardian() {
        require(msg.sender == guardian, NotGuardian(msg.sender));
        _;
    }

    modifier onlyGovernance() {
        require(msg.sender == governance, NotGovernance(msg.sender));
        _;
    }

    function _advance(bytes memory change) internal {
        head = keccak256(abi.encode(head, change));
    }

    function _existing(bytes32 id) internal view returns (Attachment storage found) {
        found = attachmentById[id];
        require(found.mode != Mode.None, UnknownAttachment(id));
    }

    function _page(bytes32[] storage all, uint256 offset, uint256 limit) internal view returns (bytes32[] memory page) {
        uint256 count = all.length;
        if (offset >= count) return page;
        uint256 left = count - offset;
        page = new bytes32[](limit < left ? limit : left);
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = all[offset + i];
        }
    }
}
