// ethers, over HTTP and WebSocket.

import assert from 'node:assert/strict';
import { Contract, WebSocketProvider, isError } from 'ethers';
import { ethersClient } from '../clients.mjs';
import { account, artifact } from '../context.mjs';

const vaultArtifact = artifact('reentrancy', 'Vault');
const self = account(0);

export default {
  async 'deploys, calls and reads'(context) {
    const { provider, deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    assert.equal(await vault.owner(), self.address);
    const transaction = await vault.deposit({ value: 7n });
    const receipt = await transaction.wait();
    assert.deepEqual([receipt.status, receipt.type, receipt.hash], [1, 2, transaction.hash]);
    assert.equal(await vault.balanceOf(self.address), 7n);
    assert.equal(await provider.getBalance(vault), 7n);
    const block = await provider.getBlock(receipt.blockNumber, true);
    assert.equal(block.getPrefetchedTransaction(receipt.hash).hash, receipt.hash);
  },

  async 'decodes a custom error, from a call and from an estimate'(context) {
    const { deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    for (const attempt of [vault.withdraw.staticCall, vault.withdraw.estimateGas]) {
      const error = await attempt().then(() => assert.fail('it succeeded'), (thrown) => thrown);
      assert(isError(error, 'CALL_EXCEPTION'), error.message);
      // ethers decodes for calls; for estimates it hands the data on.
      const revert = error.revert ?? vault.interface.parseError(error.data);
      assert.deepEqual([revert?.name, [...(revert?.args ?? [])]], ['NothingToWithdraw', [self.address]]);
    }
  },

  async 'reports a reverted transaction with its receipt'(context) {
    const { deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    const transaction = await vault.withdraw({ gasLimit: 100_000n });
    const error = await transaction.wait().then(() => assert.fail('it succeeded'), (thrown) => thrown);
    assert(isError(error, 'CALL_EXCEPTION'), error.message);
    assert.equal(error.receipt.status, 0);
  },

  async 'finds events by filter'(context) {
    const { deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    const receipt = await (await vault.deposit({ value: 8n })).wait();
    const found = await vault.queryFilter(vault.filters.Deposited(self.address), receipt.blockNumber, 'latest');
    assert.deepEqual(found.map((event) => [event.transactionHash, event.args.amount]), [[receipt.hash, 8n]]);
    assert.deepEqual(await vault.queryFilter(vault.filters.Withdrawn(), receipt.blockNumber, 'latest'), []);
  },

  async 'sends legacy and access list transactions'(context) {
    const { provider, wallet, deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    const { gasPrice } = await provider.getFeeData();
    for (const [type, fields] of [[0, {}], [1, { accessList: [[await vault.getAddress(), []]] }]]) {
      const receipt = await (await vault.deposit({ type, gasPrice: 2n * gasPrice, value: 1n, ...fields })).wait();
      assert.deepEqual([receipt.type, receipt.status, receipt.from], [type, 1, wallet.address]);
    }
  },

  async 'hears of blocks and events by WebSocket'(context) {
    const { deploy } = ethersClient(context);
    const vault = await deploy(vaultArtifact);
    const provider = new WebSocketProvider(context.wsUrl);
    try {
      assert.equal(Number((await provider.getNetwork()).chainId), context.chainId);
      const listening = new Contract(await vault.getAddress(), vaultArtifact.abi, provider);
      const blocks = [];
      const block = new Promise((resolve) => { provider.on('block', (number) => { blocks.push(number); resolve(); }); });
      const event = new Promise((resolve) => { listening.on('Deposited', (from, amount) => resolve([from, amount])); });
      // `on` sends its subscription in its own time; an answer on the same socket afterwards means it was sent.
      await listening.listenerCount('Deposited');
      await provider.send('eth_chainId', []);
      const receipt = await (await vault.deposit({ value: 9n })).wait();
      assert.deepEqual(await event, [self.address, 9n]);
      await block;
      assert(blocks.some((number) => number >= receipt.blockNumber), `heard ${blocks}`);
    } finally {
      await provider.destroy();
    }
  },
};
