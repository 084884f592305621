// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// One asset, lent against itself ten times over; what one gives to the reserves is not asked about.
contract Markets {
    IToken public immutable dai;
    mapping(address => uint256) public eBalance;
    mapping(address => uint256) public dBalance;
    uint256 public reserves;

    constructor(IToken dai_) {
        dai = dai_;
    }

    /// As Compound's: error, liquidity, shortfall.
    function getAccountLiquidity(address who) public view returns (uint256, uint256, uint256) {
        uint256 has = eBalance[who] * 95 / 100;
        uint256 owes = dBalance[who];
        return has >= owes ? (uint256(0), has - owes, uint256(0)) : (uint256(0), uint256(0), owes - has);
    }

    modifier solvent() {
        _;
        (,, uint256 shortfall) = getAccountLiquidity(msg.sender);
        require(shortfall == 0, "e/collateral-violation");
    }

    function deposit(uint256 amount) external {
        dai.transferFrom(msg.sender, address(this), amount);
        eBalance[msg.sender] += amount;
    }

    function withdraw(uint256 amount) external solvent {
        eBalance[msg.sender] -= amount;
        dai.transfer(msg.sender, amount);
    }

    function mint(uint256 amount) external solvent {
        eBalance[msg.sender] += amount;
        dBalance[msg.sender] += amount;
    }

    function borrow(uint256 amount) external solvent {
        dBalance[msg.sender] += amount;
        dai.transfer(msg.sender, amount);
    }

    function repay(uint256 amount) external {
        dai.transferFrom(msg.sender, address(this), amount);
        dBalance[msg.sender] -= amount;
    }

    function donateToReserves(uint256 amount) external {
        eBalance[msg.sender] -= amount;
        reserves += amount;
    }

    /// Takes over debt and, for a fifth less of it, collateral.
    function liquidate(address violator, uint256 repaid) external {
        (,, uint256 shortfall) = getAccountLiquidity(violator);
        require(shortfall > 0, "healthy");
        uint256 seized = repaid * 125 / 100;
        if (seized > eBalance[violator]) seized = eBalance[violator];
        dBalance[violator] -= repaid;
        dBalance[msg.sender] += repaid;
        eBalance[violator] -= seized;
        eBalance[msg.sender] += seized;
    }
}
