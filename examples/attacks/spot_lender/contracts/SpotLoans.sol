// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IPair {
    function getReserves() external view returns (uint112, uint112, uint32);
    function token0() external view returns (address);
}

/// Lends the second token of a pair against the first, at the pair's price of the moment.
contract SpotLoans {
    IPair public immutable pair;
    IToken public immutable collateralToken;
    IToken public immutable borrowToken;

    struct Position {
        uint256 collateral;
        uint256 debt;
    }

    mapping(address => Position) public positions;

    constructor(IPair pair_, IToken collateral_, IToken borrow_) {
        (pair, collateralToken, borrowToken) = (pair_, collateral_, borrow_);
    }

    function worth(uint256 amount) public view returns (uint256) {
        (uint112 r0, uint112 r1,) = pair.getReserves();
        return address(collateralToken) == pair.token0() ? amount * r1 / r0 : amount * r0 / r1;
    }

    function open(uint256 collateral, uint256 debt) external {
        collateralToken.transferFrom(msg.sender, address(this), collateral);
        Position storage p = positions[msg.sender];
        p.collateral += collateral;
        p.debt += debt;
        require(p.debt * 150 <= worth(p.collateral) * 100, "margin");
        borrowToken.transfer(msg.sender, debt);
    }

    function close(uint256 repaid, uint256 taken) external {
        borrowToken.transferFrom(msg.sender, address(this), repaid);
        Position storage p = positions[msg.sender];
        p.debt -= repaid;
        p.collateral -= taken;
        require(p.debt * 150 <= worth(p.collateral) * 100, "margin");
        collateralToken.transfer(msg.sender, taken);
    }

    function liquidate(address who) external {
        Position storage p = positions[who];
        require(p.debt * 120 > worth(p.collateral) * 100, "healthy");
        borrowToken.transferFrom(msg.sender, address(this), p.debt);
        uint256 seized = p.collateral;
        delete positions[who];
        collateralToken.transfer(msg.sender, seized);
    }
}
