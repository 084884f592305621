// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// What wallets borrow: several owners, some of whom confirm.
contract WalletCore {
    uint256 public m_required;
    uint256 public m_numOwners;
    mapping(uint256 => uint256) internal m_owners;
    mapping(uint256 => uint256) internal m_index;
    mapping(bytes32 => uint256) internal m_pending;

    event SingleTransact(address owner, uint256 value, address to, bytes data);
    event ConfirmationNeeded(bytes32 operation, address initiator);

    function initWallet(address[] calldata owners, uint256 required) public {
        m_numOwners = owners.length;
        for (uint256 i = 0; i < owners.length; i++) {
            m_owners[i + 1] = uint160(owners[i]);
            m_index[uint160(owners[i])] = i + 1;
        }
        m_required = required;
    }

    function isOwner(address who) public view returns (bool) {
        uint256 index = m_index[uint160(who)];
        return index > 0 && index <= m_numOwners && m_owners[index] == uint160(who);
    }

    function execute(address to, uint256 value, bytes calldata data) external {
        require(isOwner(msg.sender), "owner");
        bytes32 operation = keccak256(abi.encode(to, value, data));
        uint256 confirmed = m_pending[operation] | (1 << m_index[uint160(msg.sender)]);
        uint256 count;
        for (uint256 i = 1; i <= m_numOwners; i++) if (confirmed & (1 << i) != 0) count++;
        if (count < m_required) {
            m_pending[operation] = confirmed;
            emit ConfirmationNeeded(operation, msg.sender);
            return;
        }
        delete m_pending[operation];
        (bool done,) = to.call{value: value}(data);
        require(done, "call");
        emit SingleTransact(msg.sender, value, to, data);
    }
}
