// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Staked ether whose balances grow with what an oracle reports; beneath them are shares.
contract StEther {
    uint256 internal pooled;
    uint256 internal shareCount;
    mapping(address => uint256) internal shares;
    mapping(address => mapping(address => uint256)) public allowance;
    address public oracle;
    address public treasury;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event TransferShares(address indexed from, address indexed to, uint256 sharesValue);

    constructor(address treasury_) payable {
        oracle = msg.sender;
        treasury = treasury_;
        pooled = msg.value;
        shareCount = msg.value;
        shares[msg.sender] = msg.value;
        emit Transfer(address(0), msg.sender, msg.value);
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function totalSupply() public view returns (uint256) {
        return pooled;
    }

    function getTotalShares() external view returns (uint256) {
        return shareCount;
    }

    function sharesOf(address who) external view returns (uint256) {
        return shares[who];
    }

    function getPooledEthByShares(uint256 n) public view returns (uint256) {
        return n * pooled / shareCount;
    }

    function getSharesByPooledEth(uint256 n) public view returns (uint256) {
        return n * shareCount / pooled;
    }

    function balanceOf(address who) public view returns (uint256) {
        return getPooledEthByShares(shares[who]);
    }

    function submit() external payable {
        uint256 n = getSharesByPooledEth(msg.value);
        pooled += msg.value;
        _mintShares(msg.sender, n);
        emit Transfer(address(0), msg.sender, msg.value);
    }

    /// For the migration of an older version. It was to be closed.
    function mintShares(address to, uint256 n) external {
        _mintShares(to, n);
    }

    function _mintShares(address to, uint256 n) internal {
        shareCount += n;
        shares[to] += n;
        emit TransferShares(address(0), to, n);
    }

    function redeem(uint256 amount) external {
        uint256 n = getSharesByPooledEth(amount);
        shares[msg.sender] -= n;
        shareCount -= n;
        pooled -= amount;
        emit Transfer(msg.sender, address(0), amount);
        payable(msg.sender).transfer(amount);
    }

    /// Rewards, a tenth of which goes to the treasury as shares; or a slashing.
    function handleOracleReport(int256 change) external payable {
        require(msg.sender == oracle);
        if (change < 0) {
            pooled -= uint256(-change);
            payable(address(0xdead)).transfer(uint256(-change));
            return;
        }
        require(msg.value == uint256(change));
        uint256 fee = msg.value / 10;
        uint256 n = fee * shareCount / (pooled + msg.value - fee);
        pooled += msg.value;
        _mintShares(treasury, n);
        emit Transfer(address(0), treasury, getPooledEthByShares(n));
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        _transfer(from, to, value);
        return true;
    }

    function _transfer(address from, address to, uint256 value) internal {
        uint256 n = getSharesByPooledEth(value);
        shares[from] -= n;
        shares[to] += n;
        emit Transfer(from, to, value);
        emit TransferShares(from, to, n);
    }
}
