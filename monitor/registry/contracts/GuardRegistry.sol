// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IGuardRegistry} from "../../../sdk/solidity/IGuardRegistry.sol";

/// @title The registry: guards and attachments as ordinary state
/// @notice Its runtime code stands in genesis at 0x5061726170657400000000000000000000000001. It has no constructor:
/// genesis also writes the guardian into slot 1 and governance into slot 10, and gives the account nonce 1 like any created contract.
/// @dev The node reads this storage directly, so the layout below is fixed. Fields may be added after the last
/// slot, never moved.
///
/// | slot | holds |
/// |---|---|
/// | 0 | `bytes32 head` |
/// | 1 | `address guardian` |
/// | 2 | `bytes32[] attachmentIds`, the live ones |
/// | 3 | `mapping(bytes32 id => Attachment) attachmentById` |
/// | 4 | `mapping(address account => bytes32[] ids) idsByAccount`, those of the whole chain under the zero address |
/// | 5 | `bytes32[] moduleHashes` |
/// | 6 | `mapping(bytes32 module => Module) moduleByHash` |
/// | 7 | `mapping(address uploader => mapping(bytes32 module => address[] chunks)) uploads` |
/// | 8 | `uint256 attachmentNonce` |
/// | 9 | `mapping(bytes32 id => uint256) attachmentPositions`, one plus the id's index in slot 2; only `detach` needs it |
/// | 10 | `address governance` |
///
/// The only calls outward are `owner()` by STATICCALL and the creation of data contracts whose init code is written
/// here, so nothing can enter this contract half way through a change.
contract GuardRegistry is IGuardRegistry {
    /// Most bytes a data contract holds: the code size limit of 24,576 less the zero byte that makes it inert.
    uint256 public constant CHUNK_BYTES_MAX = 24_575;
    uint256 public constant MODULE_BYTES_MAX = 524_288;
    /// Full chunks that a module of the largest size takes.
    uint256 public constant CHUNKS_MAX = (MODULE_BYTES_MAX + CHUNK_BYTES_MAX - 1) / CHUNK_BYTES_MAX;
    uint256 public constant ACCOUNTS_MAX = 64;
    uint256 public constant ATTACHMENTS_OF_ACCOUNT_MAX = 16;
    uint256 public constant CONFIGURATION_BYTES_MAX = 4_096;
    uint64 public constant FUEL_MAX = 100_000_000;
    uint64 public constant FUEL_DEFAULT = 10_000_000;
    /// Enough for a proxy that looks its owner up, too little to make an attachment of 64 accounts unaffordable.
    uint256 public constant OWNER_CALL_GAS_MAX = 50_000;

    /// Under this key stand the attachments of no account. Nobody has authority over it, so nobody else can attach there.
    address private constant WHOLE_CHAIN = address(0);

    struct Attachment {
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

    struct Module {
        address uploader;
        uint32 size;
        uint64 registeredAt;
        address[] chunks;
    }

    bytes32 public head;
    address public guardian;
    bytes32[] private attachmentIds;
    mapping(bytes32 id => Attachment) private attachmentById;
    mapping(address account => bytes32[] ids) private idsByAccount;
    bytes32[] private moduleHashes;
    mapping(bytes32 module => Module) private moduleByHash;
    mapping(address uploader => mapping(bytes32 module => address[] chunks)) private uploads;
    uint256 private attachmentNonce;
    mapping(bytes32 id => uint256 indexPlusOne) private attachmentPositions;
    address public governance;

    modifier onlyGuardian() {
        require(msg.sender == guardian, NotGuardian(msg.sender));
        _;
    }

    modifier onlyGovernance() {
        require(msg.sender == governance, NotGovernance(msg.sender));
        _;
    }

    // ---- modules ----

    function uploadChunk(bytes32 module, uint256 index, bytes calldata chunk) external {
        require(chunk.length != 0 && chunk.length <= CHUNK_BYTES_MAX, ChunkSizeOutOfRange(chunk.length, CHUNK_BYTES_MAX));
        require(index < CHUNKS_MAX, ChunkIndexTooLarge(index, CHUNKS_MAX - 1));
        address[] storage chunks = uploads[msg.sender][module];
        uint256 next = chunks.length;
        require(index <= next, ChunkIndexOutOfOrder(module, index, next));

        if (index == next) {
            chunks.push();
        } else if (chunks[index].codehash == keccak256(bytes.concat(hex"00", chunk))) {
            return;
        }
        address stored = _store(chunk);
        require(stored != address(0), ChunkNotStored(module, index));
        chunks[index] = stored;
        emit ChunkUploaded(module, msg.sender, index, stored);
    }

    function registerModule(bytes32 module) external {
        address[] memory chunks = uploads[msg.sender][module];
        delete uploads[msg.sender][module];
        if (_isRegistered(module)) return;

        require(chunks.length != 0, UploadMissing(module, msg.sender));
        uint256 size = _sizeOf(chunks);
        require(size <= MODULE_BYTES_MAX, ModuleTooLarge(module, size, MODULE_BYTES_MAX));
        bytes32 actual = keccak256(_concatenate(chunks, size));
        require(actual == module, ModuleHashMismatch(module, actual));

        moduleByHash[module] = Module({
            uploader: msg.sender,
            size: uint32(size),
            registeredAt: uint64(block.number),
            chunks: chunks
        });
        moduleHashes.push(module);
        _advance(abi.encode(this.registerModule.selector, moduleInfo(module)));
        emit ModuleRegistered(module, msg.sender, uint32(size));
    }

    // ---- attachments ----

    function attach(AttachRequest calldata request) external returns (bytes32 id) {
        _checkTerms(request);
        uint256 count = request.accounts.length;
        require(count != 0 && count <= ACCOUNTS_MAX, AccountCountOutOfRange(count, ACCOUNTS_MAX));
        id = _nextId();
        for (uint256 i = 0; i < count; i++) {
            require(hasAuthority(request.accounts[i], msg.sender), NoAuthority(request.accounts[i], msg.sender));
            _bind(id, request.accounts[i]);
        }
        _add(id, request);
    }

    function attachChainWide(AttachRequest calldata request) external onlyGovernance returns (bytes32 id) {
        _checkTerms(request);
        require(request.accounts.length == 0, AccountCountOutOfRange(request.accounts.length, 0));
        id = _nextId();
        _bind(id, WHOLE_CHAIN);
        _add(id, request);
    }

    function setMode(bytes32 id, Mode mode) external {
        require(mode != Mode.None, ModeMissing());
        Attachment storage changed = _changeable(id);
        if (changed.mode == mode) return;
        changed.mode = mode;
        _advance(abi.encode(this.setMode.selector, id, mode));
        emit ModeChanged(id, mode);
    }

    function setConfiguration(bytes32 id, bytes calldata configuration) external {
        _checkConfiguration(configuration);
        Attachment storage changed = _changeable(id);
        if (keccak256(changed.configuration) == keccak256(configuration)) return;
        changed.configuration = configuration;
        _advance(abi.encode(this.setConfiguration.selector, id, configuration));
        emit ConfigurationChanged(id, configuration);
    }

    function detach(bytes32 id) external {
        address[] memory accounts = _changeable(id).accounts;
        if (accounts.length == 0) _unbind(id, WHOLE_CHAIN);
        for (uint256 i = 0; i < accounts.length; i++) {
            _unbind(id, accounts[i]);
        }
        delete attachmentById[id];

        uint256 position = attachmentPositions[id];
        bytes32 last = attachmentIds[attachmentIds.length - 1];
        attachmentIds[position - 1] = last;
        attachmentPositions[last] = position;
        attachmentIds.pop();
        delete attachmentPositions[id];

        _advance(abi.encode(this.detach.selector, id));
        emit Detached(id);
    }

    // ---- guardian ----

    function pause(bytes32 id) external onlyGuardian {
        Attachment storage paused = _existing(id);
        if (paused.paused) return;
        paused.paused = true;
        _advance(abi.encode(this.pause.selector, id));
        emit Paused(id);
    }

    function unpause(bytes32 id) external onlyGuardian {
        Attachment storage paused = _existing(id);
        if (!paused.paused) return;
        paused.paused = false;
        _advance(abi.encode(this.unpause.selector, id));
        emit Unpaused(id);
    }

    function setGuardian(address next) external onlyGuardian {
        require(next != address(0), GuardianMissing());
        if (next == guardian) return;
        emit GuardianChanged(guardian, next);
        guardian = next;
    }

    // ---- governance ----

    function setGovernance(address next) external onlyGovernance {
        require(next != address(0), GovernanceMissing());
        if (next == governance) return;
        emit GovernanceChanged(governance, next);
        governance = next;
    }

    // ---- views ----

    function moduleCount() external view returns (uint256) {
        return moduleHashes.length;
    }

    function modules(uint256 offset, uint256 limit) external view returns (bytes32[] memory) {
        return _page(moduleHashes, offset, limit);
    }

    function moduleInfo(bytes32 module) public view returns (ModuleInfo memory) {
        require(_isRegistered(module), UnknownModule(module));
        Module storage found = moduleByHash[module];
        return ModuleInfo({
            module: module,
            uploader: found.uploader,
            size: found.size,
            registeredAt: found.registeredAt,
            chunks: found.chunks
        });
    }

    function moduleCode(bytes32 module) external view returns (bytes memory) {
        require(_isRegistered(module), UnknownModule(module));
        return _concatenate(moduleByHash[module].chunks, moduleByHash[module].size);
    }

    function uploadedChunks(address uploader, bytes32 module) external view returns (address[] memory) {
        return uploads[uploader][module];
    }

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
            mode: found.mode,
            failure: found.failure,
            paused: found.paused,
            priority: found.priority,
            fuelMax: found.fuelMax,
            attachedAt: found.attachedAt,
            accounts: found.accounts,
            configuration: found.configuration
        });
    }

    function attachmentsOf(address account) external view returns (bytes32[] memory) {
        return idsByAccount[account];
    }

    /// @dev Nobody signs for the zero address, but an account that gave up its owner answers with it.
    function hasAuthority(address account, address who) public view returns (bool) {
        return who != address(0) && (who == account || who == _ownerOf(account));
    }

    // ---- leaves ----

    function _nextId() private returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), msg.sender, ++attachmentNonce));
    }

    function _add(bytes32 id, AttachRequest calldata request) private {
        attachmentById[id] = Attachment({
            module: request.module,
            manager: msg.sender,
            mode: request.mode,
            failure: request.failure,
            paused: false,
            priority: request.priority,
            fuelMax: request.fuelMax == 0 ? FUEL_DEFAULT : request.fuelMax,
            attachedAt: uint64(block.number),
            accounts: request.accounts,
            configuration: request.configuration
        });
        attachmentIds.push(id);
        attachmentPositions[id] = attachmentIds.length;
        _advance(abi.encode(this.attach.selector, attachment(id)));
        emit Attached(id, request.module, msg.sender, request.accounts, request.mode);
    }

    function _checkTerms(AttachRequest calldata request) private view {
        require(_isRegistered(request.module), UnknownModule(request.module));
        require(request.mode != Mode.None, ModeMissing());
        require(request.fuelMax <= FUEL_MAX, FuelTooLarge(request.fuelMax, FUEL_MAX));
        _checkConfiguration(request.configuration);
    }

    function _checkConfiguration(bytes calldata configuration) private pure {
        uint256 size = configuration.length;
        require(size <= CONFIGURATION_BYTES_MAX, ConfigurationTooLarge(size, CONFIGURATION_BYTES_MAX));
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

    function _existing(bytes32 id) private view returns (Attachment storage found) {
        found = attachmentById[id];
        require(found.mode != Mode.None, UnknownAttachment(id));
    }

    /// @dev Authority is judged anew at every change: whoever owned the accounts at attachment has no say later.
    function _changeable(bytes32 id) private view returns (Attachment storage found) {
        found = _existing(id);
        address[] memory accounts = found.accounts;
        require(accounts.length != 0 || msg.sender == governance, NotGovernance(msg.sender));
        for (uint256 i = 0; i < accounts.length; i++) {
            require(hasAuthority(accounts[i], msg.sender), NoAuthority(accounts[i], msg.sender));
        }
    }

    function _isRegistered(bytes32 module) private view returns (bool) {
        return moduleByHash[module].size != 0;
    }

    function _advance(bytes memory change) private {
        head = keccak256(abi.encode(head, change));
    }

    /// @dev Asks a stranger: gas and copied return data are bounded, and only a whole, clean address counts.
    /// Anything else is answered with zero, which has no authority.
    function _ownerOf(address account) private view returns (address owner_) {
        if (account.code.length == 0) return address(0);
        bytes4 selector = bytes4(keccak256("owner()"));
        assembly ("memory-safe") {
            mstore(0x00, selector)
            let success := staticcall(OWNER_CALL_GAS_MAX, account, 0x00, 0x04, 0x00, 0x20)
            let answer := mload(0x00)
            if and(success, and(gt(returndatasize(), 0x1f), iszero(shr(160, answer)))) { owner_ := answer }
        }
    }

    /// @dev Creates a contract whose code is a zero byte (STOP) and the chunk. The init code copies what follows it:
    /// PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN.
    function _store(bytes calldata chunk) private returns (address stored) {
        bytes memory initCode = bytes.concat(hex"61", bytes2(uint16(chunk.length + 1)), hex"80600a5f395ff300", chunk);
        assembly ("memory-safe") {
            stored := create(0, add(initCode, 0x20), mload(initCode))
        }
    }

    function _sizeOf(address[] memory chunks) private view returns (uint256 size) {
        for (uint256 i = 0; i < chunks.length; i++) {
            size += chunks[i].code.length - 1;
        }
    }

    function _concatenate(address[] memory chunks, uint256 size) private view returns (bytes memory code) {
        code = new bytes(size);
        uint256 offset = 0;
        for (uint256 i = 0; i < chunks.length; i++) {
            address chunk = chunks[i];
            uint256 length = chunk.code.length - 1;
            assembly ("memory-safe") {
                extcodecopy(chunk, add(add(code, 0x20), offset), 1, length)
            }
            offset += length;
        }
        assert(offset == size);
    }

    function _page(bytes32[] storage all, uint256 offset, uint256 limit) private view returns (bytes32[] memory page) {
        uint256 count = all.length;
        if (offset >= count) return page;
        uint256 left = count - offset;
        page = new bytes32[](limit < left ? limit : left);
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = all[offset + i];
        }
    }
}
