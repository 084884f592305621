// cast, from Foundry.

import assert from 'node:assert/strict';
import { CAST, cast, castSend } from '../clients.mjs';
import { ONE_ETHER, account, artifact, run } from '../context.mjs';

const self = account(0);

async function deployVault(context) {
  const receipt = await castSend(context, 0, '--create', artifact('reentrancy', 'Vault').bytecode);
  assert.equal(receipt.status, '0x1');
  return receipt.contractAddress;
}

export default {
  async 'reads chain id, balance and block'(context) {
    assert.equal(await cast(context, 'chain-id'), String(context.chainId));
    assert(BigInt(await cast(context, 'balance', self.address)) > ONE_ETHER);
    const block = JSON.parse(await cast(context, 'block', 'latest', '--json'));
    assert.equal(block.hash.length, 66);
    assert.equal(await cast(context, 'block', block.hash, '--field', 'number'), String(Number(block.number)));
    assert(Number(await cast(context, 'block-number')) >= Number(block.number));
    assert(BigInt(await cast(context, 'gas-price')) > 0n);
  },

  async 'deploys, sends, calls and reads receipts and logs'(context) {
    const vault = await deployVault(context);
    const sent = await castSend(context, 0, vault, 'deposit()', '--value', '2ether');
    const receipt = JSON.parse(await cast(context, 'receipt', sent.transactionHash, '--json'));
    assert.deepEqual([receipt.status, receipt.blockHash], ['0x1', sent.blockHash]);
    const balance = await cast(context, 'call', vault, 'balanceOf(address)', self.address);
    assert.equal(BigInt(balance), 2n * ONE_ETHER);
    const range = ['--from-block', String(Number(sent.blockNumber)), '--address', vault, '--json'];
    const logs = JSON.parse(await cast(context, 'logs', 'Deposited(address indexed,uint256)', ...range));
    assert.deepEqual(logs.map((log) => log.transactionHash), [sent.transactionHash]);
    assert.equal(await cast(context, 'code', vault), artifact('reentrancy', 'Vault').deployedBytecode);
    const owner = await cast(context, 'storage', vault, '0');
    assert.equal(BigInt(owner), BigInt(self.address));
  },

  async 'fails on a call that reverts'(context) {
    const vault = await deployVault(context);
    const args = ['send', '--private-key', self.privateKey, vault, 'withdraw()', '--rpc-url', context.rpcUrl];
    const { code, stderr } = await run(CAST, args);
    assert.notEqual(code, 0);
    assert.match(stderr, /revert/);
  },
};
