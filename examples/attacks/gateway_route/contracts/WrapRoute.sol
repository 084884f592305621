// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ITether {
    function transferFrom(address from, address to, uint256 value) external;
    function balanceOf(address who) external view returns (uint256);
    function transfer(address to, uint256 value) external;
}

/// Takes tokens, makes the swap, hands on what came of it.
contract WrapRoute {
    function performAction(address from, address to, uint256 amount, address receiver, bytes calldata swapExtraData) external {
        uint256 before = ITether(to).balanceOf(address(this));
        ITether(from).transferFrom(msg.sender, address(this), amount);
        (bool done,) = (amount == 0 ? from : to).call(swapExtraData);
        require(done, "swap");
        uint256 got = ITether(to).balanceOf(address(this)) - before;
        if (got > 0) ITether(to).transfer(receiver, got);
    }
}
