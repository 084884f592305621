// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A wallet that knows only the library that it borrows everything from.
contract ThinWallet {
    address private immutable core;

    constructor(address core_, address[] memory owners, uint256 required) {
        core = core_;
        (bool done,) = core_.delegatecall(abi.encodeWithSignature("initWallet(address[],uint256)", owners, required));
        require(done);
    }

    receive() external payable {}

    fallback() external {
        (bool done, bytes memory answer) = core.delegatecall(msg.data);
        assembly {
            switch done
            case 0 { revert(add(answer, 32), mload(answer)) }
            default { return(add(answer, 32), mload(answer)) }
        }
    }
}
