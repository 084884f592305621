// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A transparent proxy whose admin upgrades it.
contract Eip1967 {
    bytes32 private constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    bytes32 private constant ADMIN = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);

    event Upgraded(address indexed implementation);

    constructor(address logic, address admin, bytes memory data) payable {
        _put(IMPLEMENTATION, logic);
        _put(ADMIN, admin);
        if (data.length > 0) {
            (bool done,) = logic.delegatecall(data);
            require(done);
        }
    }

    function _put(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }

    function _get(bytes32 slot) private view returns (address value) {
        assembly {
            value := sload(slot)
        }
    }

    receive() external payable {
        _run();
    }

    fallback() external payable {
        _run();
    }

    function _run() private {
        if (msg.sender == _get(ADMIN)) {
            (address logic) = abi.decode(msg.data[4:], (address));
            _put(IMPLEMENTATION, logic);
            emit Upgraded(logic);
            return;
        }
        address to = _get(IMPLEMENTATION);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
