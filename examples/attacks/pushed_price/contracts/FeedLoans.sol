// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IFeed {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

contract FeedLoans {
    IToken public immutable usd;
    IFeed public immutable feed;
    mapping(address => uint256) public ether_;
    mapping(address => uint256) public debt;

    constructor(IToken usd_, IFeed feed_) {
        (usd, feed) = (usd_, feed_);
    }

    function lock() external payable {
        ether_[msg.sender] += msg.value;
    }

    function draw(uint256 amount) external {
        debt[msg.sender] += amount;
        (, int256 price,,,) = feed.latestRoundData();
        require(debt[msg.sender] * 3 <= ether_[msg.sender] * uint256(price) / 1e8 * 2, "ratio");
        usd.transfer(msg.sender, amount);
    }

    function pay(uint256 amount) external {
        usd.transferFrom(msg.sender, address(this), amount);
        debt[msg.sender] -= amount;
    }
}
