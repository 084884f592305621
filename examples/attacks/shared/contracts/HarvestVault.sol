// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Pair} from "./Pair.sol";
import {Router} from "./Router.sol";
import {Token} from "./Token.sol";

/// @title A vault that sells what it earns, at anybody's word and at any price
contract HarvestVault {
    Token public immutable reward;
    Token public immutable asset;
    Router public immutable router;
    Pair public immutable pair;
    mapping(address account => uint256) public deposited;

    constructor(Router router_, Pair pair_) {
        router = router_;
        pair = pair_;
        reward = pair_.token0();
        asset = pair_.token1();
        reward.approve(address(router_), type(uint256).max);
    }

    function deposit(uint256 amount) external {
        asset.transferFrom(msg.sender, address(this), amount);
        deposited[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external {
        deposited[msg.sender] -= amount;
        asset.transfer(msg.sender, amount);
    }

    /// @notice Sells so many rewards. Whatever comes of it is enough.
    function harvest(uint256 amount) external {
        Pair[] memory path = new Pair[](1);
        path[0] = pair;
        router.swapExactIn(reward, path, amount, 0, address(this));
    }

    /// @notice What it has, where one reward is worth one of the asset.
    function worth() external view returns (uint256) {
        return asset.balanceOf(address(this)) + reward.balanceOf(address(this));
    }
}
