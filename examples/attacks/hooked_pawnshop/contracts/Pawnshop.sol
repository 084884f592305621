// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface I721 {
    function safeTransferFrom(address from, address to, uint256 id) external;
    function transferFrom(address from, address to, uint256 id) external;
}

/// Lends ether on collectibles. A borrower may take one back by paying its part; what is unpaid too long is auctioned off.
contract Pawnshop {
    uint256 public constant PER_ITEM = 10 ether;

    struct Pledge {
        uint128 debt;
        uint64 items;
        uint64 since;
    }

    I721 public immutable nft;
    mapping(address => Pledge) public pledges;
    mapping(uint256 => address) public pledgedBy;

    event Borrowed(address indexed who, uint256 amount);

    error TooMuchDebt();

    constructor(I721 nft_) payable {
        nft = nft_;
    }

    receive() external payable {}

    function pledge(uint256 id) external {
        nft.transferFrom(msg.sender, address(this), id);
        pledgedBy[id] = msg.sender;
        Pledge storage p = pledges[msg.sender];
        p.items += 1;
        p.since = uint64(block.timestamp);
    }

    function borrow(uint256 amount) external {
        Pledge storage p = pledges[msg.sender];
        p.debt += uint128(amount);
        if (p.debt > p.items * PER_ITEM) revert TooMuchDebt();
        (bool sent,) = msg.sender.call{value: amount}("");
        require(sent);
        emit Borrowed(msg.sender, amount);
    }

    function repay() external payable {
        pledges[msg.sender].debt -= uint128(msg.value);
    }

    function takeBack(uint256 id) external {
        Pledge storage p = pledges[msg.sender];
        require(pledgedBy[id] == msg.sender, "not yours");
        if (p.debt > (p.items - 1) * PER_ITEM) revert TooMuchDebt();
        nft.safeTransferFrom(address(this), msg.sender, id);
        p.items -= 1;
        delete pledgedBy[id];
    }

    /// Who pays an old debt gets the item.
    function foreclose(address borrower, uint256 id) external payable {
        Pledge storage p = pledges[borrower];
        require(pledgedBy[id] == borrower && p.debt > 0 && block.timestamp > p.since + 1 days, "not due");
        uint256 due = p.debt / p.items;
        require(msg.value >= due, "too little");
        p.debt -= uint128(due);
        p.items -= 1;
        delete pledgedBy[id];
        nft.safeTransferFrom(address(this), msg.sender, id);
        if (msg.value > due) {
            (bool sent,) = msg.sender.call{value: msg.value - due}("");
            require(sent);
        }
    }
}
