// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A beacon whose setter nobody guards.
contract Lamp {
    address private _impl;
    address public keeper = msg.sender;

    event Upgraded(address indexed implementation);

    constructor(address impl) {
        _impl = impl;
    }

    function implementation() external view returns (address) {
        return _impl;
    }

    function setImplementation(address impl) external {
        require(impl.code.length > 0, "no code");
        _impl = impl;
        emit Upgraded(impl);
    }
}
