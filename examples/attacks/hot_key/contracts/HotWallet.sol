// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ITether {
    function transfer(address to, uint value) external;
}

/// An exchange's wallet: its operator pays out ether and tethers, nobody else.
contract HotWallet {
    address public operator;
    ITether public immutable usdt;

    event Paid(address indexed to, uint256 amount);

    constructor(ITether usdt_, address operator_) payable {
        usdt = usdt_;
        operator = operator_;
    }

    receive() external payable {}

    function pay(address payable to, uint256 amount) external {
        require(msg.sender == operator);
        (bool sent,) = to.call{value: amount}("");
        require(sent);
        emit Paid(to, amount);
    }

    function payMany(address[] calldata to, uint256[] calldata amounts) external {
        require(msg.sender == operator);
        for (uint256 i = 0; i < to.length; i++) usdt.transfer(to[i], amounts[i]);
    }
}
