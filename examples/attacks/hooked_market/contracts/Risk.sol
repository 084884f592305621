// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IDesk {
    function depositOf(address who) external view returns (uint256);
    function debtOf(address who) external view returns (uint256);
}

/// Adds up what somebody has and owes at all desks; all assets are worth the same here.
contract Risk {
    IDesk[] public desks;
    address public owner = msg.sender;

    function list(IDesk desk) external {
        require(msg.sender == owner);
        desks.push(desk);
    }

    function account(address who) public view returns (uint256 has, uint256 owes) {
        for (uint256 i = 0; i < desks.length; i++) {
            has += desks[i].depositOf(who);
            owes += desks[i].debtOf(who);
        }
    }

    function mayBorrow(address who, uint256 more) external view returns (bool) {
        (uint256 has, uint256 owes) = account(who);
        return (owes + more) * 4 <= has * 3;
    }

    function mayWithdraw(address who, address, uint256 less) external view returns (bool) {
        (uint256 has, uint256 owes) = account(who);
        return owes * 4 <= (has - less) * 3;
    }
}
