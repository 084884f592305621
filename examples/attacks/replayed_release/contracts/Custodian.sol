// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ITether {
    function transfer(address to, uint value) external;
    function transferFrom(address from, address to, uint value) external;
}

/// Pays out what an oracle signed; the signature says nothing about which time it is.
contract Custodian {
    address public oracle;
    ITether public token;
    mapping(address => uint256) public sentTo;

    constructor(ITether token_, address oracle_) {
        token = token_;
        oracle = oracle_;
    }

    function deposit(uint256 amount, bytes32) external {
        token.transferFrom(msg.sender, address(this), amount);
    }

    function digest(address to, uint256 amount, uint256 salt) public view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", keccak256(abi.encodePacked(address(this), to, amount, salt))));
    }

    function unlock(address to, uint256 amount, uint256 salt, uint8 v, bytes32 r, bytes32 s, bytes calldata) external {
        require(ecrecover(digest(to, amount, salt), v, r, s) == oracle, "oracle");
        sentTo[to] += amount;
        token.transfer(to, amount);
    }
}
