// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function balanceOf(address who) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
}

/// A pair whose check of the product was changed in one place and not in the other.
contract UraniumPair {
    address public immutable token0;
    address public immutable token1;
    uint112 private _r0;
    uint112 private _r1;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(address a, address b) {
        token0 = a;
        token1 = b;
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (_r0, _r1, 0);
    }

    function mint(address to) external returns (uint256 n) {
        (uint256 b0, uint256 b1) = _held();
        n = totalSupply == 0 ? b0 : (b0 - _r0) * totalSupply / _r0;
        if (totalSupply != 0 && (b1 - _r1) * totalSupply / _r1 < n) n = (b1 - _r1) * totalSupply / _r1;
        totalSupply += n;
        balanceOf[to] += n;
        emit Transfer(address(0), to, n);
        (_r0, _r1) = (uint112(b0), uint112(b1));
    }

    function burn(uint256 n, address to) external {
        balanceOf[msg.sender] -= n;
        (uint256 b0, uint256 b1) = _held();
        IToken(token0).transfer(to, b0 * n / totalSupply);
        IToken(token1).transfer(to, b1 * n / totalSupply);
        totalSupply -= n;
        emit Transfer(msg.sender, address(0), n);
        (b0, b1) = _held();
        (_r0, _r1) = (uint112(b0), uint112(b1));
    }

    function swap(uint256 out0, uint256 out1, address to) external {
        if (out0 > 0) IToken(token0).transfer(to, out0);
        if (out1 > 0) IToken(token1).transfer(to, out1);
        (uint256 b0, uint256 b1) = _held();
        uint256 in0 = b0 > _r0 - out0 ? b0 - (_r0 - out0) : 0;
        uint256 in1 = b1 > _r1 - out1 ? b1 - (_r1 - out1) : 0;
        require(in0 > 0 || in1 > 0, "nothing came");
        require((b0 * 10_000 - in0 * 16) * (b1 * 10_000 - in1 * 16) >= uint256(_r0) * _r1 * 1000 ** 2, "K");
        (_r0, _r1) = (uint112(b0), uint112(b1));
    }

    function _held() private view returns (uint256, uint256) {
        return (IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
    }
}
