// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RegistryStorage} from "./RegistryStorage.sol";

/// @title The guardian and the governance of the chain
/// @dev An office passes in two steps, so that it cannot be lost to a mistyped address.
abstract contract Offices is RegistryStorage {
    /// @dev Governance may replace a guardian whose key is lost or stolen.
    function proposeGuardian(address next) external {
        require(msg.sender == guardian || msg.sender == governance, NotGuardian(msg.sender));
        proposedGuardian = next;
        emit GuardianProposed(next);
    }

    function acceptGuardian() external {
        require(msg.sender == proposedGuardian, NotProposed(msg.sender));
        emit GuardianChanged(guardian, msg.sender);
        guardian = msg.sender;
        delete proposedGuardian;
    }

    function proposeGovernance(address next) external onlyGovernance {
        proposedGovernance = next;
        emit GovernanceProposed(next);
    }

    function acceptGovernance() external {
        require(msg.sender == proposedGovernance, NotProposed(msg.sender));
        emit GovernanceChanged(governance, msg.sender);
        governance = msg.sender;
        delete proposedGovernance;
    }

    /// @dev Raised at once, lowered only after the delay that held until then: a stolen governance is no way around it.
    function setDelayMin(uint32 next) external onlyGovernance {
        require(next <= DELAY_SECONDS_MAX, DelayTooLong(next, DELAY_SECONDS_MAX));
        uint32 current = delayMin();
        uint64 nextAt = uint64(block.timestamp) + (next < current ? current : 0);
        minimum = Minimum({current: next < current ? current : next, next: next, nextAt: nextAt});
        emit DelayMinChanged(current, next, nextAt);
    }

    function delayMin() public view returns (uint32) {
        return block.timestamp < minimum.nextAt ? minimum.current : minimum.next;
    }
}
