// A development chain with the registry in place, as genesis would have it.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestClient, getContract, http, padHex, publicActions, toHex, walletActions } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { anvil } from 'viem/chains';
import { REPOSITORY, compile } from '../compile.mjs';

export const REGISTRY_ADDRESS = '0x5061726170657400000000000000000000000001';
export const ADMIN_READER_ADDRESS = '0x5061726170657400000000000000000000000002';
const MNEMONIC = 'test test test test test test test test test test test junk';
const START_MS_MAX = 30_000;
const RECEIPT_MS_MAX = 60_000;

export const account = (index) => mnemonicToAccount(MNEMONIC, { addressIndex: index });
export const artifact = (name) => JSON.parse(readFileSync(path.join(REPOSITORY, name), 'utf8'));
export const registryArtifact = artifact('monitor/registry/artifacts/GuardRegistry.json');

const TEST_SOURCES = ['Owners', 'Accounts', 'AdminReader'].map((name) => `sdk/solidity/test/${name}.sol`);
const testContracts = compile(TEST_SOURCES);

/** A contract of these tests as `{ abi, bytecode, deployedBytecode }`. */
export function testContract(name) {
  const { abi, evm } = TEST_SOURCES.map((source) => testContracts(source, name)).find((contract) => contract);
  return { abi, bytecode: `0x${evm.bytecode.object}`, deployedBytecode: `0x${evm.deployedBytecode.object}` };
}

/** Starts anvil, from its package or else from the path, on a free port; answers its address and a function that ends it. */
async function startNode() {
  const packaged = path.join(REPOSITORY, 'sdk/solidity/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
  const bin = existsSync(packaged) ? packaged : 'anvil';
  const node = spawn(bin, ['--port', '0', '--hardfork', 'osaka', '--gas-limit', '60000000']);
  const url = await new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`anvil did not start: ${text}`)), START_MS_MAX);
    node.on('error', reject);
    node.stdout.on('data', (data) => {
      text += data;
      const listening = text.match(/Listening on ([\d.]+:\d+)/);
      if (!listening) return;
      clearTimeout(timer);
      resolve(`http://${listening[1]}`);
    });
  });
  return { url, stop: () => node.kill() };
}

/** A chain whose registry has `guardian` and `governance`. `client` signs with account 0 unless told otherwise. */
export async function startChain({ guardian, governance }) {
  const { url, stop } = await startNode();
  const client = createTestClient({
    account: account(0), chain: anvil, mode: 'anvil', pollingInterval: 20, transport: http(url),
  }).extend(publicActions).extend(walletActions);
  await client.setCode({ address: REGISTRY_ADDRESS, bytecode: registryArtifact.deployedBytecode });
  await client.setNonce({ address: REGISTRY_ADDRESS, nonce: 1 });
  await client.setStorageAt({ address: REGISTRY_ADDRESS, index: 1, value: padHex(guardian) });
  await client.setStorageAt({ address: REGISTRY_ADDRESS, index: 10, value: padHex(governance) });
  await client.setCode({ address: ADMIN_READER_ADDRESS, bytecode: testContract('AdminReader').deployedBytecode });
  const registry = getContract({ address: REGISTRY_ADDRESS, abi: registryArtifact.abi, client });
  return { client, registry, stop };
}

/**
 * The receipt of a transaction. Asks until it is there: a client that asks once per block waits for ever where the node
 * shows a block before the block's receipts and no further block follows.
 */
export async function receiptOf(client, hash) {
  const deadline = Date.now() + RECEIPT_MS_MAX;
  for (;;) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if (error.name !== 'TransactionReceiptNotFoundError' || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, client.pollingInterval));
    }
  }
}

/** Sends a call to the registry after simulating it, so that a revert arrives decoded; answers the receipt. */
export async function send({ client, registry }, from, functionName, args) {
  const { request, result } = await client.simulateContract({
    address: registry.address, abi: registry.abi, account: from, functionName, args,
  });
  const hash = await client.writeContract(request);
  return { ...(await receiptOf(client, hash)), result };
}

export async function deploy({ client }, { abi, bytecode }, args = [], value = 0n) {
  const hash = await client.deployContract({ abi, bytecode, args, value });
  const receipt = await receiptOf(client, hash);
  return getContract({ address: receipt.contractAddress, abi, client });
}

/** The name and arguments of the custom error that a call to the registry reverts with. */
export async function errorOf(call) {
  try {
    await call;
  } catch (error) {
    const revert = error.walk((cause) => cause.data?.errorName);
    if (!revert) throw error;
    return [revert.data.errorName, ...(revert.data.args ?? [])];
  }
  throw new Error('the call was expected to revert');
}

export const slot = async ({ client }, index) =>
  client.getStorageAt({ address: REGISTRY_ADDRESS, slot: typeof index === 'string' ? index : toHex(index) });
