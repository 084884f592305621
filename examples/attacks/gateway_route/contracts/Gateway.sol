// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Runs routes by their number. One of them takes the swap that it is to make from the caller's bytes.
contract Gateway {
    mapping(uint32 => address) public routes;
    uint32 public count;
    address public owner = msg.sender;

    function addRoute(address route) external returns (uint32 id) {
        require(msg.sender == owner);
        id = ++count;
        routes[id] = route;
    }

    function executeRoute(uint32 id, bytes calldata data) external payable returns (bytes memory) {
        address route = routes[id];
        require(route != address(0), "route");
        (bool done, bytes memory answer) = route.delegatecall(data);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}
