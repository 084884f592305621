// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Token} from "../../shared/contracts/Token.sol";

/// @title Keeps ether and tokens for its users and runs whatever handler a user names in its own name
contract Combiner {
    mapping(address account => uint256) public balanceOf;
    address public constant NATIVE = address(0);

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "not paid");
    }

    /// @notice Runs `handler`. Nothing checks that it is one of ours.
    function run(address handler, bytes calldata data) external payable {
        (bool done,) = handler.delegatecall(data);
        require(done, "failed");
    }
}
