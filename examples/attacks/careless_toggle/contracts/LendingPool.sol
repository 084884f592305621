// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function balanceOf(address who) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// Two reserves. Whether a deposit counts as collateral its owner says, and nobody asks whether he owes.
contract LendingPool {
    IToken public immutable weth;
    IToken public immutable usd;
    IFeed public immutable feed;
    mapping(address => uint256) public deposits;
    mapping(address => uint256) public debts;
    mapping(address => bool) public usedAsCollateral;

    event ReserveUsedAsCollateralDisabled(address indexed reserve, address indexed user);

    constructor(IToken weth_, IToken usd_, IFeed feed_) {
        (weth, usd, feed) = (weth_, usd_, feed_);
    }

    function getUserAccountData(address user) public view returns (uint256 c, uint256 d, uint256 a, uint256 t, uint256 l, uint256 hf) {
        c = usedAsCollateral[user] ? deposits[user] * uint256(feed.latestAnswer()) / 1e8 : 0;
        d = debts[user];
        (t, l) = (8250, 8000);
        a = c * l / 10_000 > d ? c * l / 10_000 - d : 0;
        hf = d == 0 ? type(uint256).max : c * t * 1e14 / d;
    }

    /// What lies here, in dollars.
    function reserves() external view returns (uint256) {
        return usd.balanceOf(address(this)) + weth.balanceOf(address(this)) * uint256(feed.latestAnswer()) / 1e8;
    }

    function supply(uint256 amount) external {
        weth.transferFrom(msg.sender, address(this), amount);
        if (deposits[msg.sender] == 0) usedAsCollateral[msg.sender] = true;
        deposits[msg.sender] += amount;
    }

    function setUserUseReserveAsCollateral(bool use) external {
        usedAsCollateral[msg.sender] = use;
        if (!use) emit ReserveUsedAsCollateralDisabled(address(weth), msg.sender);
    }

    function withdraw(uint256 amount, address to) external returns (uint256) {
        deposits[msg.sender] -= amount;
        // Deposits that are no collateral may go at any time.
        if (usedAsCollateral[msg.sender]) {
            (,,,,, uint256 hf) = getUserAccountData(msg.sender);
            require(hf >= 1e18, "35");
        }
        weth.transfer(to, amount);
        return amount;
    }

    function borrow(uint256 amount) external {
        debts[msg.sender] += amount;
        (uint256 c, uint256 d,,, uint256 l,) = getUserAccountData(msg.sender);
        require(d <= c * l / 10_000, "36");
        usd.transfer(msg.sender, amount);
    }

    function repay(uint256 amount, address user) external {
        usd.transferFrom(msg.sender, address(this), amount);
        debts[user] -= amount;
    }

    function liquidationCall(address user, uint256 covered) external {
        (,,,,, uint256 hf) = getUserAccountData(user);
        require(hf < 1e18, "45");
        usd.transferFrom(msg.sender, address(this), covered);
        debts[user] -= covered;
        uint256 seized = covered * 1e8 * 105 / uint256(feed.latestAnswer()) / 100;
        if (seized > deposits[user]) seized = deposits[user];
        deposits[user] -= seized;
        weth.transfer(msg.sender, seized);
    }
}
