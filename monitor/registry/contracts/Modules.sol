// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Guards' bytes, in data contracts, named by their hash
/// @dev Uploads are kept by sender, and a module is its hash: nobody can disturb another's. Only the creation of data
/// contracts whose init code is written here leaves this contract.
abstract contract Modules is RegistryStorage {
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

    // ---- views ----

    function moduleCount() external view returns (uint256) {
        return moduleHashes.length;
    }

    function modules(uint256 offset, uint256 limit) external view returns (bytes32[] memory) {
        return _page(moduleHashes, offset, limit);
    }

    function moduleInfo(bytes32 module) public view returns (ModuleInfo memory) {
        _checkRegistered(module);
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
        _checkRegistered(module);
        return _concatenate(moduleByHash[module].chunks, moduleByHash[module].size);
    }

    function uploadedChunks(address uploader, bytes32 module) external view returns (address[] memory) {
        return uploads[uploader][module];
    }

    // ---- leaves ----

    function _checkRegistered(bytes32 module) internal view {
        require(_isRegistered(module), UnknownModule(module));
    }

    function _isRegistered(bytes32 module) private view returns (bool) {
        return moduleByHash[module].size != 0;
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
}
