// A project as Hardhat 3 makes one, with one network more: the node under test.
import { fileURLToPath } from 'node:url';
import hardhatChaiMatchers from '@nomicfoundation/hardhat-ethers-chai-matchers';
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers';
import hardhatNodeTestRunner from '@nomicfoundation/hardhat-node-test-runner';
import hardhatViem from '@nomicfoundation/hardhat-viem';
import hardhatViemAssertions from '@nomicfoundation/hardhat-viem-assertions';

// The compiler comes from npm, too: none has to be downloaded.
const solc = fileURLToPath(new URL('./node_modules/solc/soljson.js', import.meta.url));

export default {
  plugins: [
    hardhatViem, hardhatViemAssertions, hardhatEthers, hardhatChaiMatchers, hardhatNetworkHelpers, hardhatNodeTestRunner,
  ],
  solidity: { version: '0.8.30', path: solc },
  networks: { parapet: { type: 'http', url: process.env.NODE_URL ?? 'http://127.0.0.1:8545' } },
};
