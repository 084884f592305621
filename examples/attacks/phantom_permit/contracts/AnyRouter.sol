// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IWrapped {
    function underlying() external view returns (address);
    function depositVault(uint256 amount, address to) external returns (uint256);
    function burn(address from, uint256 amount) external returns (bool);
}

interface IPermit {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Sends tokens to other chains, with a permit if somebody has one.
contract AnyRouter {
    event LogAnySwapOut(address indexed token, address indexed from, address indexed to, uint256 amount, uint256 toChain);

    function anySwapOutUnderlyingWithPermit(
        address from, address token, address to, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s, uint256 toChain
    ) external {
        address underlying = IWrapped(token).underlying();
        IPermit(underlying).permit(from, address(this), amount, deadline, v, r, s);
        IPermit(underlying).transferFrom(from, token, amount);
        IWrapped(token).depositVault(amount, from);
        IWrapped(token).burn(from, amount);
        emit LogAnySwapOut(token, from, to, amount, toChain);
    }

    function anySwapOutUnderlying(address token, address to, uint256 amount, uint256 toChain) external {
        IPermit(IWrapped(token).underlying()).transferFrom(msg.sender, token, amount);
        emit LogAnySwapOut(token, msg.sender, to, amount, toChain);
    }
}
