// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// A diamond: selectors find their facets in a mapping; a cut may run an initialiser. Whose cut it is was never asked.
contract Gem {
    struct FacetCut {
        address facetAddress;
        uint8 action;
        bytes4[] functionSelectors;
    }

    struct Store {
        mapping(bytes4 => address) facets;
        address contractOwner;
    }

    bytes32 private constant POSITION = keccak256("diamond.standard.diamond.storage");

    event DiamondCut(FacetCut[] _diamondCut, address _init, bytes _calldata);

    constructor() payable {
        _store().contractOwner = msg.sender;
    }

    function _store() private pure returns (Store storage s) {
        bytes32 at = POSITION;
        assembly {
            s.slot := at
        }
    }

    function diamondCut(FacetCut[] calldata cuts, address init, bytes calldata data) external {
        Store storage s = _store();
        for (uint256 i = 0; i < cuts.length; i++) {
            for (uint256 j = 0; j < cuts[i].functionSelectors.length; j++) {
                s.facets[cuts[i].functionSelectors[j]] = cuts[i].facetAddress;
            }
        }
        emit DiamondCut(cuts, init, data);
        if (init != address(0)) {
            (bool done,) = init.delegatecall(data);
            require(done, "init");
        }
    }

    receive() external payable {}

    fallback() external payable {
        address facet = _store().facets[msg.sig];
        require(facet != address(0), "no such function");
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), facet, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if done { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
