// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {GuardLib} from "../GuardLib.sol";
import {IGuardRegistry} from "../IGuardRegistry.sol";

/// Accounts that are in somebody's hands by other means than `owner()`, or only seem to be.

/// Has neither owner nor roles.
contract Ownerless {
    uint256 public number;
}

/// Acts for whoever controls it, as Safes and timelocks do, and creates contracts.
contract Wallet {
    address public immutable controller = msg.sender;

    receive() external payable {}

    function execute(address to, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == controller || msg.sender == address(this));
        (bool success, bytes memory answer) = to.call(data);
        require(success, string(answer));
        return answer;
    }

    function create(bytes memory code) external returns (address created) {
        assembly {
            created := create(0, add(code, 0x20), mload(code))
        }
        require(created != address(0));
    }

    function create2(bytes memory code, bytes32 salt) external returns (address created) {
        assembly {
            created := create2(0, add(code, 0x20), mload(code), salt)
        }
        require(created != address(0));
    }
}

/// What OpenZeppelin's AccessControl shows of itself.
contract Roles {
    mapping(bytes32 role => mapping(address who => bool)) public hasRole;

    constructor(address admin) {
        hasRole[0][admin] = true;
    }

    function set(address who, bool held) external {
        hasRole[0][who] = held;
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x7965db0b;
    }
}

contract RolesWithoutInterface {
    function hasRole(bytes32, address) external pure returns (bool) {
        return true;
    }
}

/// Says yes to every question, and to any selector.
contract YesToAll {
    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

/// Says what it was asked.
contract Echo {
    fallback() external {
        assembly {
            calldatacopy(0, 0, calldatasize())
            return(0, calldatasize())
        }
    }
}

/// A function of another meaning with the selector of `owner()`: an amount that is no address.
contract ClashingOwner {
    uint256 private immutable amount;

    constructor(address who) {
        amount = uint160(who) | (uint256(7) << 200);
    }

    fallback() external {
        uint256 word = amount;
        require(msg.sig == 0x8da5cb5b);
        assembly {
            mstore(0, word)
            return(0, 32)
        }
    }
}

/// Answers a role only to whoever waits long enough.
contract BurningRoles {
    uint256 private spins;

    function hasRole(bytes32, address) external view returns (bool) {
        while (gasleft() > 100) {}
        return true;
    }
}

/// Names whoever sends the transaction.
contract OriginOwner {
    function owner() external view returns (address) {
        return tx.origin;
    }
}

/// An owner whose looking up takes more gas than the registry grants, behind a proxy: what its implementation lacks, the
/// proxy does not notice.
contract HungryOwner {
    address private immutable owner_;
    uint256 private spins;

    constructor(address owner__) {
        owner_ = owner__;
    }

    function owner() external view returns (address) {
        uint256 start = gasleft();
        while (start - gasleft() < 60_000) {}
        return owner_;
    }
}

/// A proxy that delegates everything, as ERC-1967 proxies do.
contract Proxy {
    address private immutable implementation;

    constructor(address implementation_) {
        implementation = implementation_;
    }

    fallback() external payable {
        address to = implementation;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(success) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// An implementation that belongs to whoever initialises it first.
contract Initializable {
    address public owner;

    function initialize() external {
        require(owner == address(0));
        owner = msg.sender;
    }
}

/// Tries every door of the registry from within its own `owner()`.
contract ReentrantEverywhere {
    address private immutable owner_;
    bytes32 public target;
    uint256 public opened;

    constructor(address owner__) {
        owner_ = owner__;
    }

    function setTarget(bytes32 target_) external {
        target = target_;
    }

    function owner() external returns (address) {
        if (target != 0) {
            _try(abi.encodeCall(IGuardRegistry.detach, (target)));
            _try(abi.encodeCall(IGuardRegistry.setMode, (target, IGuardRegistry.Mode.Shadow)));
            _try(abi.encodeCall(IGuardRegistry.applyChange, (target, IGuardRegistry.ChangeKind.Detach)));
            _try(abi.encodeCall(IGuardRegistry.confirmAuthority, (address(this))));
            _try(abi.encodeCall(IGuardRegistry.cancelChange, (target, IGuardRegistry.ChangeKind.Detach)));
        }
        return owner_;
    }

    function _try(bytes memory data) private {
        (bool success,) = address(GuardLib.REGISTRY).call{gas: 7_000}(data);
        // Nothing may be written here while the registry asks, so a success could only be seen in the registry itself.
        success;
    }
}

/// Guards itself in its constructor, with a delay and a manager.
contract SelfGuardedSlowly {
    address public owner = msg.sender;
    bytes32 public immutable attachment;

    constructor(bytes32 module, address manager) {
        attachment = GuardLib.attachToSelf(module, "", IGuardRegistry.Mode.Enforce, 1 days, manager);
    }
}

/// Guards itself in its constructor by a request of its own, with an escape.
contract SelfGuardedWithEscape {
    address public owner = msg.sender;
    bytes32 public immutable attachment;

    constructor(bytes32 module) {
        IGuardRegistry.AttachRequest memory request;
        request.module = module;
        request.mode = IGuardRegistry.Mode.Shadow;
        request.terms.escapes = new bytes4[](1);
        request.terms.escapes[0] = SelfGuardedWithEscape.rescue.selector;
        attachment = GuardLib.attachToSelf(request);
    }

    function rescue() external {}
}

/// Code for an account that delegates: it names its owner whatever storage it meets.
contract DelegatedOwner {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    receive() external payable {}
}
