// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A bank whose upgrades its implementation decides upon, and decides upon nothing.
contract UupsBank {
    bytes32 private constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    address public owner;
    mapping(address => uint256) public deposits;

    event Upgraded(address indexed implementation);
    event Initialized(uint8 version);

    function initialize(address owner_) external {
        require(owner == address(0), "initialised");
        owner = owner_;
        emit Initialized(1);
    }

    function deposit() external payable {
        deposits[msg.sender] += msg.value;
    }

    function withdraw(uint256 amount) external {
        deposits[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
    }

    function proxiableUUID() external pure returns (bytes32) {
        return IMPLEMENTATION;
    }

    function upgradeToAndCall(address to, bytes calldata data) external payable {
        _authorizeUpgrade(to);
        assembly {
            sstore(IMPLEMENTATION, to)
        }
        emit Upgraded(to);
        if (data.length > 0) {
            (bool done,) = to.delegatecall(data);
            require(done);
        }
    }

    function _authorizeUpgrade(address) internal virtual {}
}
