// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RegistryStorage} from "./RegistryStorage.sol";

/// @title Who may guard an account
/// @dev Accounts are strangers: they are asked by STATICCALL with bounded gas, one word of the answer is copied, and no answer
/// can cost more or change anything. An answer that is missing because it was given too little gas would be a lie, so there
/// is always enough, or the call reverts.
abstract contract Authority is RegistryStorage {
    /// Enough for a proxy that looks its owner up, too little to make an attachment of 64 accounts unaffordable.
    uint256 private constant OWNER_CALL_GAS_MAX = 50_000;
    /// What ERC-165 grants.
    uint256 private constant ROLE_CALL_GAS_MAX = 30_000;
    /// What is spent around a call: reaching a cold account, and the comparison itself.
    uint256 private constant CALL_GAS_MARGIN = 5_000;

    /// The node answers here, to the registry alone: calldata is an account, the answer its ERC-1967 admin slot. To everybody
    /// else it is an account without code.
    address private constant ADMIN_READER = 0x5061726170657400000000000000000000000002;
    /// `type(IAccessControl).interfaceId` of OpenZeppelin.
    bytes4 private constant ACCESS_CONTROL = 0x7965db0b;
    /// EIP-7702: code of an account that lets another's code speak for it.
    bytes32 private constant DELEGATION = hex"ef0100";

    /// What an account says when it is asked: it has no such function, it cannot be understood, or this.
    enum Answer {
        None,
        Unclear,
        Given
    }

    /// @dev What is known of an account. `owner` is its own, or its admin's where there is one.
    struct Standing {
        bool isContract;
        address admin;
        Answer answer;
        address owner;
    }

    function proveDeployer(address account, uint64 nonce) external {
        _prove(account, keccak256(_creation(msg.sender, nonce)));
    }

    function proveDeployer2(address account, bytes32 salt, bytes32 initCodeHash) external {
        _prove(account, keccak256(bytes.concat(hex"ff", bytes20(msg.sender), salt, initCodeHash)));
    }

    function confirmAuthority(address account) external {
        Standing memory standing = _standing(account);
        require(_has(account, msg.sender, standing), NoAuthority(account, msg.sender));
        _confirm(account, msg.sender, standing);
    }

    // ---- views ----

    function hasAuthority(address account, address who) public view returns (bool) {
        return _has(account, who, _standing(account));
    }

    function isConfirmed(address account) external view returns (bool) {
        return _isConfirmed(account, _standing(account));
    }

    // ---- for those who ask ----

    /// @dev Nobody signs for the zero address, but an account that gave up its owner answers with it. Where an admin can
    /// replace the code, what the code says of owners and roles is the admin's to say, so it does not count.
    function _has(address account, address who, Standing memory standing) internal view returns (bool) {
        if (who == address(0)) return false;
        if (who == account) return true;
        if (!standing.isContract) return false;
        if (who == standing.owner || who == standing.admin) return true;
        if (standing.admin != address(0)) return false;
        (Answer roles, bool held) = _roleOf(account, who);
        if (held) return true;
        return who == deployerOf[account] && standing.answer == Answer.None && roles == Answer.None;
    }

    /// @dev Whether the account is still in the hands that attached its first guard or confirmed since.
    function _isConfirmed(address account, Standing memory standing) internal view returns (bool) {
        address confirmed = confirmedAuthority[account];
        address named = _named(standing);
        return named == address(0) ? _has(account, confirmed, standing) : named == confirmed;
    }

    function _confirm(address account, address who, Standing memory standing) internal {
        address named = _named(standing);
        if (named == address(0)) named = who;
        if (confirmedAuthority[account] == named) return;
        confirmedAuthority[account] = named;
        emit AuthorityConfirmed(account, named);
    }

    function _standing(address account) internal view returns (Standing memory standing) {
        if (!_isContract(account)) return standing;
        standing.isContract = true;
        standing.admin = _adminOf(account);
        (standing.answer, standing.owner) = _ownerOf(standing.admin == address(0) ? account : standing.admin);
    }

    // ---- leaves ----

    function _prove(address account, bytes32 hash) private {
        require(account == address(uint160(uint256(hash))), NotDeployer(account, msg.sender));
        deployerOf[account] = msg.sender;
        emit DeployerProved(account, msg.sender);
    }

    /// @dev Who is named without being asked about: the owner, else the admin.
    function _named(Standing memory standing) private pure returns (address) {
        return standing.owner == address(0) ? standing.admin : standing.owner;
    }

    /// @dev The code of another that speaks for an account (EIP-7702) is not the account's own, and its answers come from
    /// storage that whoever came first may have filled.
    function _isContract(address account) private view returns (bool) {
        uint256 size = account.code.length;
        bytes32 start;
        assembly ("memory-safe") {
            mstore(0x00, 0)
            extcodecopy(account, 0x00, 0, 3)
            start := mload(0x00)
        }
        return size != 0 && start != DELEGATION;
    }

    /// @dev Without an answer of the node there is no authority at all: no account may seem to have no admin.
    function _adminOf(address account) private view returns (address admin) {
        bool answered;
        assembly ("memory-safe") {
            mstore(0x00, account)
            answered := staticcall(gas(), ADMIN_READER, 0x00, 0x20, 0x00, 0x20)
            answered := and(answered, eq(returndatasize(), 0x20))
            admin := mload(0x00)
        }
        require(answered, AdminUnreadable(account));
        admin = address(uint160(admin));
    }

    function _ownerOf(address account) private view returns (Answer answer, address owner) {
        if (!_isContract(account)) return (answer, owner);
        uint256 word;
        (answer, word) = _ask(account, abi.encodeWithSignature("owner()"), OWNER_CALL_GAS_MAX);
        if (word >> 160 != 0) return (Answer.Unclear, owner);
        owner = address(uint160(word));
    }

    /// @dev A contract that says yes to everything is not one that grants roles: ERC-165 tells them apart.
    function _roleOf(address account, address who) private view returns (Answer answer, bool held) {
        bytes memory question = abi.encodeWithSignature("hasRole(bytes32,address)", bytes32(0), who);
        uint256 word;
        (answer, word) = _ask(account, question, ROLE_CALL_GAS_MAX);
        held = word == 1 && _supports(account, 0xffffffff) == 0 && _supports(account, ACCESS_CONTROL) == 1;
    }

    function _supports(address account, bytes4 id) private view returns (uint256) {
        (Answer answer, uint256 word) =
            _ask(account, abi.encodeWithSignature("supportsInterface(bytes4)", id), ROLE_CALL_GAS_MAX);
        return answer == Answer.Given ? word : type(uint256).max;
    }

    function _ask(address account, bytes memory question, uint256 gasMax)
        private
        view
        returns (Answer answer, uint256 word)
    {
        // EIP-150: a callee gets at most 63 of 64 parts of what is left.
        uint256 start = gasleft();
        require(start >= gasMax + gasMax / 63 + CALL_GAS_MARGIN, GasTooLow(gasMax));
        bool success;
        uint256 size;
        assembly ("memory-safe") {
            mstore(0x00, 0)
            success := staticcall(gasMax, account, add(question, 0x20), mload(question), 0x00, 0x20)
            size := returndatasize()
            word := mload(0x00)
        }
        if (success && size >= 32) return (Answer.Given, word);
        // Who used up much of its gas might have said something with more: a proxy keeps a part of it when its callee runs out.
        answer = start - gasleft() < gasMax / 2 ? Answer.None : Answer.Unclear;
        word = 0;
    }

    /// @dev RLP of creator and nonce, as CREATE hashes it.
    function _creation(address creator, uint64 nonce) private pure returns (bytes memory) {
        bytes memory number = hex"80";
        if (nonce != 0) {
            uint256 length = 0;
            for (uint256 rest = nonce; rest != 0; rest >>= 8) length++;
            bytes memory all = bytes.concat(bytes8(nonce << uint64(64 - 8 * length)));
            assembly ("memory-safe") {
                mstore(all, length)
            }
            number = nonce < 0x80 ? all : bytes.concat(bytes1(uint8(0x80 + length)), all);
        }
        return bytes.concat(bytes1(uint8(0xc0 + 21 + number.length)), hex"94", bytes20(creator), number);
    }
}
