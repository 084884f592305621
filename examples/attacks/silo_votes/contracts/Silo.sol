// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Deposits vote at once; two thirds of them pass a proposal in an emergency, a day after it was made.
contract Silo {
    struct Bip {
        address proposer;
        address payload;
        uint64 made;
        bool done;
        uint256 roots;
    }

    IToken public immutable bean;
    mapping(address => uint256) public roots;
    mapping(uint32 => mapping(address => bool)) public voted;
    uint256 public totalRoots;
    Bip[] public bips;

    event Vote(address indexed account, uint32 indexed bip, uint256 roots);

    constructor(IToken bean_) payable {
        bean = bean_;
    }

    receive() external payable {}

    function depositBeans(uint256 amount) external {
        bean.transferFrom(msg.sender, address(this), amount);
        roots[msg.sender] += amount;
        totalRoots += amount;
    }

    function withdrawBeans(uint256 amount) external {
        roots[msg.sender] -= amount;
        totalRoots -= amount;
        bean.transfer(msg.sender, amount);
    }

    function plant(address payload) external returns (uint32) {
        require(roots[msg.sender] > 0);
        bips.push(Bip(msg.sender, payload, uint64(block.timestamp), false, 0));
        return uint32(bips.length - 1);
    }

    function support(uint32 bip) external {
        require(!voted[bip][msg.sender]);
        voted[bip][msg.sender] = true;
        bips[bip].roots += roots[msg.sender];
        emit Vote(msg.sender, bip, roots[msg.sender]);
    }

    function emergencyCommit(uint32 bip) external {
        Bip storage b = bips[bip];
        require(block.timestamp > b.made + 1 days && !b.done && b.roots * 3 >= totalRoots * 2, "not passed");
        b.done = true;
        (bool ok,) = b.payload.delegatecall(abi.encodeWithSignature("init()"));
        require(ok);
    }

    function last() external view returns (uint256) {
        return bips.length == 0 ? 0 : bips.length - 1;
    }
}
