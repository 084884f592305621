// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IReceiver1155 {
    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data) external returns (bytes4);
}

/// Sells tickets (ERC-1155) for ether; the desk beside it takes them back for what they cost. Each buyer has a rebate once.
contract Packs {
    uint256 public constant PRICE = 1 ether;
    mapping(uint256 => mapping(address => uint256)) public balanceOf;
    mapping(address => bool) public rebated;
    address public desk;
    address public owner = msg.sender;

    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);

    function setDesk(address desk_) external {
        require(msg.sender == owner && desk == address(0));
        desk = desk_;
    }

    function buy(uint256 id, uint256 count) external payable {
        require(msg.value == PRICE * count);
        payable(desk).transfer(msg.value);
        _mint(msg.sender, id, count);
    }

    /// A ticket for nothing, once.
    function welcome(uint256 id) external {
        require(!rebated[msg.sender], "once");
        _mint(msg.sender, id, 1);
        rebated[msg.sender] = true;
    }

    function take(address from, uint256 id, uint256 count) external {
        require(msg.sender == desk);
        balanceOf[id][from] -= count;
        emit TransferSingle(msg.sender, from, address(0), id, count);
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 count, bytes calldata data) external {
        require(from == msg.sender);
        balanceOf[id][from] -= count;
        balanceOf[id][to] += count;
        emit TransferSingle(msg.sender, from, to, id, count);
        if (to.code.length > 0) IReceiver1155(to).onERC1155Received(msg.sender, from, id, count, data);
    }

    function _mint(address to, uint256 id, uint256 count) private {
        balanceOf[id][to] += count;
        emit TransferSingle(msg.sender, address(0), to, id, count);
        if (to.code.length > 0) {
            require(IReceiver1155(to).onERC1155Received(msg.sender, address(0), id, count, "") == 0xf23a6e61);
        }
    }
}
