// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A bridge whose validators sign releases. One who left was written over by nobody's address.
contract Gatekeeper {
    address[] public validators;
    uint256 public quorum;
    address public immutable governor = msg.sender;
    mapping(bytes32 => bool) public executed;

    event Released(bytes32 indexed id, address indexed to, uint256 amount);

    constructor(address[] memory v, uint256 quorum_) payable {
        validators = v;
        quorum = quorum_;
    }

    receive() external payable {}

    function lock(bytes32) external payable {}

    function retire(uint256 index) external {
        require(msg.sender == governor);
        validators[index] = address(0);
    }

    function digest(bytes32 id, address to, uint256 amount) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), block.chainid, id, to, amount));
    }

    function release(bytes32 id, address payable to, uint256 amount, uint8[] calldata indexes, uint8[] calldata v, bytes32[] calldata r, bytes32[] calldata s) external {
        require(!executed[id], "executed");
        bytes32 what = digest(id, to, amount);
        for (uint256 i = 0; i < quorum; i++) {
            require(ecrecover(what, v[i], r[i], s[i]) == validators[indexes[i]], "signer");
        }
        executed[id] = true;
        (bool sent,) = to.call{value: amount}("");
        require(sent);
        emit Released(id, to, amount);
    }
}
