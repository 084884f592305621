// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title A proxy with admin and implementation where ERC-1967 has them
contract Proxy {
    bytes32 private constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    bytes32 private constant ADMIN = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);

    event Upgraded(address indexed implementation);

    constructor(address implementation, address admin) {
        write(IMPLEMENTATION, implementation);
        write(ADMIN, admin);
    }

    function upgradeTo(address implementation) external {
        require(msg.sender == read(ADMIN), "not the admin");
        write(IMPLEMENTATION, implementation);
        emit Upgraded(implementation);
    }

    function write(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }

    function read(bytes32 slot) private view returns (address value) {
        assembly {
            value := sload(slot)
        }
    }

    function forward() private {
        address implementation = read(IMPLEMENTATION);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    fallback() external payable {
        forward();
    }

    receive() external payable {
        forward();
    }
}
