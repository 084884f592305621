// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// A smart account of somebody, which runs batches and takes whatever comes.
contract Account {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    address public immutable entry = msg.sender;

    receive() external payable {}

    function execute(Call[] calldata calls) external payable {
        require(msg.sender == entry);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory answer) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) {
                assembly {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function tokensReceived(address, address, address, uint256, bytes calldata, bytes calldata) external {}

    function tokensToSend(address, address, address, uint256, bytes calldata, bytes calldata) external {}
}

/// The entry point: each user has an account here, made when it is first needed.
contract Accounts {
    mapping(address => Account) public accounts;

    receive() external payable {}

    function accountOf(address user) public returns (Account account) {
        account = accounts[user];
        if (address(account) == address(0)) {
            account = new Account{salt: bytes32(uint256(uint160(user)))}();
            accounts[user] = account;
        }
    }

    /// Brings some of the user's tokens along.
    function fund(IToken token, uint256 amount, Account.Call[] calldata calls) external payable {
        Account account = accountOf(msg.sender);
        require(token.transferFrom(msg.sender, address(account), amount));
        account.execute{value: msg.value}(calls);
    }

    function run(Account.Call[] calldata calls) external payable {
        accountOf(msg.sender).execute{value: msg.value}(calls);
    }
}
