// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GuardLib} from "../GuardLib.sol";
import {IGuardRegistry} from "../IGuardRegistry.sol";

/// Accounts whose `owner()` answers, or fails to, in every way the registry must withstand. All but the first
/// refuse to name an owner properly, though each hands the sender's address over in some form.

contract Owned {
    address public owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function setOwner(address owner_) external {
        owner = owner_;
    }
}

abstract contract Forged {
    uint256 internal immutable claimed;

    constructor(address claimed_) {
        claimed = uint160(claimed_);
    }
}

contract DirtyOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view returns (uint256) {
        return claimed | (1 << 160);
    }
}

contract ShortOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view {
        uint256 word = claimed;
        assembly {
            mstore(0, word)
            return(0, 31)
        }
    }
}

contract SilentOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view {}
}

contract RevertingOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view {
        uint256 word = claimed;
        assembly {
            mstore(0, word)
            revert(0, 32)
        }
    }
}

contract BombOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    /// 1 MiB of return data: its memory alone costs more than the call may spend.
    function owner() external view {
        uint256 word = claimed;
        assembly {
            mstore(0, word)
            return(0, 0x100000)
        }
    }
}

contract EndlessOwner is Forged {
    uint256 private spins;

    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view returns (uint256) {
        while (gasleft() > 0) {}
        return claimed;
    }
}

contract WritingOwner is Forged {
    uint256 private writes;

    constructor(address claimed_) Forged(claimed_) {}

    function owner() external returns (uint256) {
        writes++;
        return claimed;
    }
}

/// Answers properly, with the most that the gas cap lets it add behind the address.
contract LongOwner is Forged {
    constructor(address claimed_) Forged(claimed_) {}

    function owner() external view {
        uint256 word = claimed;
        assembly {
            mstore(0, word)
            return(0, 0x4000)
        }
    }
}

/// Has authority over itself and uses it from within its own `owner()`. The registry asks statically, so the change
/// that it tries must come to nothing.
contract ReentrantOwner {
    address private immutable owner_;
    bytes32 public target;

    constructor(address owner__) {
        owner_ = owner__;
    }

    function setTarget(bytes32 target_) external {
        target = target_;
    }

    function owner() external returns (address) {
        if (target != 0) {
            try GuardLib.REGISTRY.setConfiguration{gas: 40_000}(target, hex"ff") {} catch {}
        }
        return owner_;
    }
}

/// Attaches a guard to itself before it has any code.
contract SelfGuarded {
    bytes32 public immutable attachment;

    constructor(bytes32 module) {
        attachment = GuardLib.attachToSelf(module, hex"01", IGuardRegistry.Mode.Enforce);
    }
}
