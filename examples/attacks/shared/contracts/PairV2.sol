// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function balanceOf(address who) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
}

interface ICallee {
    function uniswapV2Call(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// A constant-product pair of Uniswap's second version, flash swaps included.
contract PairV2 {
    address public immutable token0;
    address public immutable token1;
    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private stamp;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 private unlocked = 1;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Sync(uint112 reserve0, uint112 reserve1);

    modifier lock() {
        require(unlocked == 1, "LOCKED");
        unlocked = 0;
        _;
        unlocked = 1;
    }

    constructor(address a, address b) {
        (token0, token1) = (a, b);
    }

    function getReserves() public view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, stamp);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
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

    function mint(address to) external lock returns (uint256 liquidity) {
        (uint256 b0, uint256 b1) = (IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
        (uint256 a0, uint256 a1) = (b0 - reserve0, b1 - reserve1);
        if (totalSupply == 0) {
            liquidity = _sqrt(a0 * a1) - 1000;
            _mint(address(0xdead), 1000);
        } else {
            uint256 by0 = a0 * totalSupply / reserve0;
            uint256 by1 = a1 * totalSupply / reserve1;
            liquidity = by0 < by1 ? by0 : by1;
        }
        require(liquidity > 0, "INSUFFICIENT_LIQUIDITY_MINTED");
        _mint(to, liquidity);
        _update(b0, b1);
    }

    function burn(address to) external lock returns (uint256 a0, uint256 a1) {
        (uint256 b0, uint256 b1) = (IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
        uint256 liquidity = balanceOf[address(this)];
        a0 = liquidity * b0 / totalSupply;
        a1 = liquidity * b1 / totalSupply;
        balanceOf[address(this)] = 0;
        totalSupply -= liquidity;
        emit Transfer(address(this), address(0), liquidity);
        IToken(token0).transfer(to, a0);
        IToken(token1).transfer(to, a1);
        _update(IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external lock {
        require(out0 < reserve0 && out1 < reserve1, "INSUFFICIENT_LIQUIDITY");
        if (out0 > 0) IToken(token0).transfer(to, out0);
        if (out1 > 0) IToken(token1).transfer(to, out1);
        if (data.length > 0) ICallee(to).uniswapV2Call(msg.sender, out0, out1, data);
        (uint256 b0, uint256 b1) = (IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
        uint256 in0 = b0 > reserve0 - out0 ? b0 - (reserve0 - out0) : 0;
        uint256 in1 = b1 > reserve1 - out1 ? b1 - (reserve1 - out1) : 0;
        require((b0 * 1000 - in0 * 3) * (b1 * 1000 - in1 * 3) >= uint256(reserve0) * reserve1 * 1e6, "K");
        _update(b0, b1);
    }

    /// Sells what was sent here before, as routers do; answers what came out.
    function sell(address token, address to) external lock returns (uint256 out) {
        (uint256 b0, uint256 b1) = (IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
        if (token == token0) {
            uint256 paid = (b0 - reserve0) * 997;
            out = paid * reserve1 / (uint256(reserve0) * 1000 + paid);
            IToken(token1).transfer(to, out);
        } else {
            uint256 paid = (b1 - reserve1) * 997;
            out = paid * reserve0 / (uint256(reserve1) * 1000 + paid);
            IToken(token0).transfer(to, out);
        }
        _update(IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
    }

    function sync() external lock {
        _update(IToken(token0).balanceOf(address(this)), IToken(token1).balanceOf(address(this)));
    }

    function skim(address to) external lock {
        IToken(token0).transfer(to, IToken(token0).balanceOf(address(this)) - reserve0);
        IToken(token1).transfer(to, IToken(token1).balanceOf(address(this)) - reserve1);
    }

    function _update(uint256 b0, uint256 b1) private {
        (reserve0, reserve1, stamp) = (uint112(b0), uint112(b1), uint32(block.timestamp));
        emit Sync(uint112(b0), uint112(b1));
    }

    function _mint(address to, uint256 value) private {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function _transfer(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function _sqrt(uint256 y) private pure returns (uint256 z) {
        z = y;
        for (uint256 x = y / 2 + 1; x < z; x = (y / x + x) / 2) z = x;
    }
}
