// viem, over HTTP and WebSocket.

import assert from 'node:assert/strict';
import { createPublicClient, isAddressEqual, parseEventLogs, webSocket } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { viemClient } from '../clients.mjs';
import { ONE_ETHER, account, artifact } from '../context.mjs';

const vaultArtifact = artifact('reentrancy', 'Vault');
const self = account(0);

export default {
  async 'deploys, with every field of the receipt'(context) {
    const { client, deploy } = viemClient(context);
    const { contract, receipt } = await deploy(vaultArtifact);
    assert.equal(receipt.status, 'success');
    assert.equal(receipt.type, 'eip1559');
    assert.equal(receipt.to, null);
    assert(isAddressEqual(receipt.from, self.address));
    assert(receipt.gasUsed > 100_000n && receipt.cumulativeGasUsed >= receipt.gasUsed);
    assert(receipt.effectiveGasPrice > 0n);
    assert.equal(receipt.logsBloom.length, 2 + 512);
    assert.equal(await client.getCode({ address: contract.address }), vaultArtifact.deployedBytecode);
    assert(isAddressEqual(await contract.read.owner(), self.address));

    const transaction = await client.getTransaction({ hash: receipt.transactionHash });
    assert.equal(transaction.blockHash, receipt.blockHash);
    assert.equal(transaction.input, vaultArtifact.bytecode);
    assert.equal(await client.getTransactionCount({ address: self.address }), transaction.nonce + 1);
  },

  async 'reads blocks by number, hash and tag'(context) {
    const { client, deploy } = viemClient(context);
    const { receipt } = await deploy(vaultArtifact);
    const block = await client.getBlock({ blockNumber: receipt.blockNumber });
    assert.equal(block.hash, receipt.blockHash);
    assert.equal(block.transactions[receipt.transactionIndex], receipt.transactionHash);
    assert.deepEqual(await client.getBlock({ blockHash: receipt.blockHash }), block);
    const full = await client.getBlock({ blockHash: receipt.blockHash, includeTransactions: true });
    assert.equal(full.transactions[receipt.transactionIndex].hash, receipt.transactionHash);
    const parent = await client.getBlock({ blockHash: block.parentHash });
    assert.equal(parent.number, block.number - 1n);
    assert(parent.timestamp <= block.timestamp);
    const latest = await client.getBlock();
    assert(latest.number >= block.number);
    assert((await client.getBlock({ blockTag: 'earliest' })).number === 0n);
  },

  async 'deposits, reads state and finds the event'(context) {
    const { client, mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const receipt = await mined(contract.write.deposit({ value: 3n }));
    assert.equal(await contract.read.balanceOf([self.address]), 3n);
    assert.equal(await client.getBalance({ address: contract.address }), 3n);
    const [logged] = parseEventLogs({ abi: contract.abi, logs: receipt.logs });
    assert.deepEqual([logged.eventName, logged.args], ['Deposited', { account: self.address, amount: 3n }]);
    const range = { fromBlock: receipt.blockNumber, toBlock: 'latest' };
    const found = await contract.getEvents.Deposited({ account: self.address }, range);
    assert.deepEqual(found.map((event) => event.transactionHash), [receipt.transactionHash]);
    assert.deepEqual(await contract.getEvents.Deposited({ account: contract.address }, range), []);
    const before = await contract.read.balanceOf([self.address], { blockNumber: receipt.blockNumber - 1n });
    assert.equal(before, 0n);
  },

  async 'estimates gas that suffices'(context) {
    const { client, mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const gas = await contract.estimateGas.deposit({ account: self.address, value: 1n });
    const receipt = await mined(contract.write.deposit({ value: 1n, gas }));
    assert.equal(receipt.status, 'success');
    assert(receipt.gasUsed <= gas && gas < 2n * receipt.gasUsed, `estimated ${gas}, used ${receipt.gasUsed}`);
    const fees = await client.estimateFeesPerGas();
    assert(fees.maxFeePerGas > 0n);
    const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] });
    assert(history.baseFeePerGas.length >= 2);
  },

  async 'decodes a custom error, from a call and from an estimate'(context) {
    const { deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    for (const attempt of [contract.simulate.withdraw, contract.estimateGas.withdraw]) {
      const error = await attempt({ account: self.address }).then(() => assert.fail('it succeeded'), (thrown) => thrown);
      const revert = error.walk((cause) => cause.data?.errorName);
      assert(revert, error.message);
      assert.deepEqual([revert.data.errorName, revert.data.args], ['NothingToWithdraw', [self.address]]);
    }
  },

  async 'gives a reverted transaction a receipt'(context) {
    const { mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const receipt = await mined(contract.write.withdraw({ gas: 100_000n }));
    assert.deepEqual([receipt.status, receipt.logs], ['reverted', []]);
  },

  async 'sends legacy, access list and fee market transactions'(context) {
    const { client, wallet, mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const gasPrice = 2n * (await client.getGasPrice());
    const accessList = [{ address: contract.address, storageKeys: [`0x${'00'.repeat(32)}`] }];
    const kinds = {
      legacy: { gasPrice },
      eip2930: { gasPrice, accessList },
      eip1559: { maxFeePerGas: gasPrice, maxPriorityFeePerGas: 1n, accessList },
    };
    for (const [type, fields] of Object.entries(kinds)) {
      const receipt = await mined(wallet.sendTransaction({ type, to: contract.address, data: '0xd0e30db0', value: 5n, ...fields }));
      assert.deepEqual([receipt.type, receipt.status], [type, 'success']);
    }
    assert.equal(await contract.read.balanceOf([self.address]), 15n);
  },

  async 'delegates an account by EIP-7702'(context) {
    const { client, wallet, mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const authority = privateKeyToAccount(generatePrivateKey());
    const authorization = await wallet.signAuthorization({ account: authority, contractAddress: contract.address });
    const receipt = await mined(wallet.writeContract({
      address: authority.address, abi: vaultArtifact.abi, functionName: 'deposit', value: 4n, authorizationList: [authorization],
    }));
    assert.deepEqual([receipt.type, receipt.status], ['eip7702', 'success']);
    const code = await client.getCode({ address: authority.address });
    assert.equal(code, `0xef0100${contract.address.slice(2).toLowerCase()}`);
    const args = [self.address];
    const balance = await client.readContract({ address: authority.address, abi: vaultArtifact.abi, functionName: 'balanceOf', args });
    assert.equal(balance, 4n);
  },

  async 'hears of new heads by WebSocket'(context) {
    const { mined, wallet } = viemClient(context);
    const client = createPublicClient({ transport: webSocket(context.wsUrl, { reconnect: false }) });
    const heads = [];
    let wake;
    const heard = new Promise((resolve) => { wake = resolve; });
    const unwatch = client.watchBlocks({
      includeTransactions: false,
      emitMissed: false,
      onBlock: (block) => { heads.push(block.hash); wake(); },
      onError: (error) => { heads.push(error.message); wake(); },
    });
    try {
      // Answered on the same socket after the subscription was sent, so no block can slip between the two.
      await client.getChainId();
      const receipt = await mined(wallet.sendTransaction({ to: wallet.account.address, value: ONE_ETHER }));
      await heard;
      assert(heads.includes(receipt.blockHash), `heard ${heads}`);
    } finally {
      unwatch();
    }
  },

  async 'hears of events by WebSocket'(context) {
    const { mined, deploy } = viemClient(context);
    const { contract } = await deploy(vaultArtifact);
    const client = createPublicClient({ transport: webSocket(context.wsUrl, { reconnect: false }) });
    let unwatch;
    const heard = new Promise((resolve, reject) => {
      unwatch = client.watchContractEvent({
        address: contract.address, abi: contract.abi, eventName: 'Deposited', onLogs: resolve, onError: reject,
      });
    });
    try {
      await client.getChainId();
      await mined(contract.write.deposit({ value: 6n }));
      const [event] = await heard;
      assert.deepEqual(event.args, { account: self.address, amount: 6n });
    } finally {
      unwatch();
    }
  },
};
