// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
}

/// Pays those whom its signer lists, in seasons. Whether somebody was paid is written down by the bytes of his signature.
contract Drop {
    IToken public immutable token;
    address public immutable signer;
    mapping(bytes32 => bool) public used;

    event Claimed(address indexed who, uint256 season, uint256 amount);

    constructor(IToken token_, address signer_) {
        (token, signer) = (token_, signer_);
    }

    function digest(uint256 season, address who, uint256 amount) public view returns (bytes32) {
        return keccak256(abi.encode(address(this), season, who, amount));
    }

    function claim(uint256 season, uint256 amount, uint8 v, bytes32 r, bytes32 s, bytes calldata referral) external {
        bytes32 key = keccak256(abi.encode(v, r, s, referral));
        require(!used[key], "claimed");
        used[key] = true;
        require(ecrecover(digest(season, msg.sender, amount), v, r, s) == signer, "signer");
        token.transfer(msg.sender, amount);
        emit Claimed(msg.sender, season, amount);
    }
}
