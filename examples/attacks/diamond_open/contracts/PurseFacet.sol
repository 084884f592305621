// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Deposits and payments of a diamond.
contract PurseFacet {
    struct Purse {
        mapping(address => uint256) holdings;
    }

    function _purse() private pure returns (Purse storage p) {
        bytes32 at = keccak256("gem.purse");
        assembly {
            p.slot := at
        }
    }

    function put() external payable {
        _purse().holdings[msg.sender] += msg.value;
    }

    function get(uint256 amount) external {
        _purse().holdings[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
    }

    function held(address who) external view returns (uint256) {
        return _purse().holdings[who];
    }
}
