// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Shares of ether. What is here is what the balance says, whoever put it here.
contract EtherVault {
    string public constant symbol = "sETH";
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function getRate() public view returns (uint256) {
        return totalSupply == 0 ? 1e18 : address(this).balance * 1e18 / totalSupply;
    }

    /// Falls as somebody gets richer.
    function poverty(address who) external view returns (uint256) {
        return type(uint128).max - who.balance - (totalSupply == 0 ? 0 : balanceOf[who] * address(this).balance / totalSupply);
    }

    function deposit() external payable returns (uint256 shares) {
        shares = totalSupply == 0 ? msg.value : msg.value * totalSupply / (address(this).balance - msg.value);
        totalSupply += shares;
        balanceOf[msg.sender] += shares;
        emit Transfer(address(0), msg.sender, shares);
    }

    function withdraw(uint256 shares) external {
        uint256 due = address(this).balance * shares / totalSupply;
        totalSupply -= shares;
        balanceOf[msg.sender] -= shares;
        emit Transfer(msg.sender, address(0), shares);
        (bool sent,) = msg.sender.call{value: due}("");
        require(sent);
    }
}
