// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ISt {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
    function getSharesByPooledEth(uint256 n) external view returns (uint256);
    function getPooledEthByShares(uint256 n) external view returns (uint256);
}

/// The rebasing token wrapped into one that keeps still.
contract Wrapped {
    ISt public immutable steth;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(ISt steth_) {
        steth = steth_;
    }

    function stEthPerToken() external view returns (uint256) {
        return steth.getPooledEthByShares(1 ether);
    }

    function wrap(uint256 amount) external {
        uint256 n = steth.getSharesByPooledEth(amount);
        totalSupply += n;
        balanceOf[msg.sender] += n;
        emit Transfer(address(0), msg.sender, n);
        steth.transferFrom(msg.sender, address(this), amount);
    }

    function unwrap(uint256 n) external {
        uint256 amount = steth.getPooledEthByShares(n);
        totalSupply -= n;
        balanceOf[msg.sender] -= n;
        emit Transfer(msg.sender, address(0), n);
        steth.transfer(msg.sender, amount);
    }
}
