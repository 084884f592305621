// States in files go from anvil to Parapet and back: what either dumps the other loads, and is the same there.
//   node state-files.mjs PATH_TO_PARAPET
// By flag (`--dump-state`, `--load-state`, `--state`, `--init`, `--config-out`) and by method (`anvil_dumpState`,
// `anvil_loadState`). Compared: balances, nonces, code, storage, and where the chain goes on: number, time, the next block.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ANVIL, FEES, start } from './nodes.mjs';

const ALICE = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const STRANGER = '0x7777777777777777777777777777777777777777';
const CODED = '0x6666666666666666666666666666666666666666';
const SLOTS = 3;
const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
/** Creation code: slot 0 holds 7, slot 1 holds the time, and the contract answers a call with slot 0. */
const CREATION = '0x60075f5542600155600860125f3960085ff35f545f5260205ff3';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('usage: node state-files.mjs PATH_TO_PARAPET');
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'parapet-states-'));
const file = (name) => path.join(folder, name);
const KINDS = {
  anvil: (...flags) => start('anvil', ANVIL, ['--quiet', ...flags]),
  parapet: (...flags) => start('parapet', path.resolve(program), ['dev', '--silent', '--log', 'error', ...flags]),
};
const running = new Set();
const begin = async (kind, ...flags) => {
  const started = await KINDS[kind](...flags);
  running.add(started.process);
  return started;
};
const stop = async ({ process: child }) => {
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
  running.delete(child);
};

/** Gives a node a state worth to be kept, and the accounts of it that are looked at. */
async function fill({ node }) {
  const contract = await node.deploy(CREATION);
  await node.mined({ from: ALICE, to: STRANGER, value: '0x1234', gas: '0x5208', ...FEES });
  await node.must('anvil_setCode', CODED, '0x6001600255');
  await node.must('anvil_setNonce', CODED, '0x9');
  await node.must('anvil_setStorageAt', CODED, '0x2', word(5));
  await node.must('evm_mine');
  return [ALICE, STRANGER, CODED, contract];
}

/** What a node tells of accounts, at its newest block. */
const told = ({ node }, accounts) => Promise.all(accounts.map(async (account) => ({
  account,
  balance: await node.must('eth_getBalance', account, 'latest'),
  nonce: await node.must('eth_getTransactionCount', account, 'latest'),
  code: await node.must('eth_getCode', account, 'latest'),
  storage: await Promise.all(Array.from({ length: SLOTS }, (_, slot) => node.must('eth_getStorageAt', account, `0x${slot}`, 'latest'))),
})));
const head = async ({ node }) => {
  const { number, timestamp, hash } = await node.must('eth_getBlockByNumber', 'latest', false);
  return { number: Number(number), timestamp: Number(timestamp), hash };
};
/** A chain goes on: its next block has the next number, and the contract can be called in it. Tells that block's time. */
async function goesOn(started, before, contract) {
  const receipt = await started.node.mined({ from: ALICE, to: contract, gas: '0x186a0', ...FEES });
  assert.equal(receipt.status, '0x1');
  assert.equal(Number(receipt.blockNumber), before.number + 1);
  assert.equal(await started.node.must('eth_call', { to: contract }, 'latest'), word(7));
  return (await head(started)).timestamp;
}

const CHECKS = {
  ...Object.fromEntries([['anvil', 'parapet'], ['parapet', 'anvil'], ['parapet', 'parapet']].map(([from, to]) => [
    `what ${from} dumps as it stops, ${to} loads as it starts`,
    async () => {
      const first = await begin(from, '--dump-state', file(`${from}-${to}.json`));
      const accounts = await fill(first);
      const [expected, before] = [await told(first, accounts), await head(first)];
      await stop(first);
      const second = await begin(to, '--load-state', file(`${from}-${to}.json`));
      assert.deepEqual(await told(second, accounts), expected);
      const after = await head(second);
      assert.equal(after.number, before.number);
      // anvil goes on from the very block; Parapet begins with one of its own, whose state has the registry of guards, too.
      if (to === 'anvil') assert.equal(after.hash, before.hash);
      const time = await goesOn(second, after, accounts.at(-1));
      // anvil asks the clock, and a chain of several blocks a second is ahead of it.
      if (to === 'parapet') assert.ok(time >= after.timestamp);
      await stop(second);
    },
  ])),
  ...Object.fromEntries([['anvil', 'parapet'], ['parapet', 'anvil']].map(([from, to]) => [
    `what ${from} dumps when asked, ${to} lays over its own state`,
    async () => {
      const [first, second] = [await begin(from), await begin(to)];
      const accounts = await fill(first);
      assert.equal(await second.node.must('anvil_loadState', await first.node.must('anvil_dumpState')), true);
      assert.deepEqual(await told(second, accounts), await told(first, accounts));
      await Promise.all([stop(first), stop(second)]);
    },
  ])),
  'a state is gone on with, and left in its file, also while the node runs': async () => {
    const state = file('state.json');
    const first = await begin('parapet', '--state', state, '--state-interval', '1');
    const accounts = await fill(first);
    for (const until = Date.now() + 20_000; !existsSync(state); await new Promise((go) => setTimeout(go, 50))) {
      assert.ok(Date.now() < until, 'nothing was dumped');
    }
    const expected = await told(first, accounts);
    await stop(first);
    const second = await begin('parapet', '--state', state);
    assert.deepEqual(await told(second, accounts), expected);
    await goesOn(second, await head(second), accounts.at(-1));
    await stop(second);
    const third = await begin('parapet', '--state', state);
    assert.equal(Number(await third.node.must('eth_getTransactionCount', ALICE, 'latest')), Number(expected[0].nonce) + 1);
    await stop(third);
  },
  'both begin alike with a genesis of geth\'s, and write the same of their accounts': async () => {
    const genesis = file('genesis.json');
    writeFileSync(genesis, JSON.stringify({
      config: { chainId: 4242 }, gasLimit: '0x1000000', difficulty: '0x0', timestamp: '0x65000000',
      alloc: { [CODED]: { balance: '0x10', nonce: '0x3', code: '0x6001', storage: { [word(1)]: word(6) } } },
    }));
    const [first, second] = [
      await begin('anvil', '--init', genesis, '--config-out', file('anvil-out.json')),
      await begin('parapet', '--init', genesis, '--config-out', file('parapet-out.json')),
    ];
    const looked = [CODED, ALICE];
    assert.deepEqual(await told(second, looked), await told(first, looked));
    for (const method of ['eth_chainId', 'eth_blockNumber']) {
      assert.equal(await second.node.must(method), await first.node.must(method), method);
    }
    const [theirs, ours] = ['anvil-out.json', 'parapet-out.json'].map((name) => JSON.parse(readFileSync(file(name), 'utf8')));
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
    for (const field of ['available_accounts', 'private_keys', 'wallet', 'base_fee']) assert.deepEqual(ours[field], theirs[field], field);
    await Promise.all([stop(first), stop(second)]);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    await check();
    console.log(`passed  states: ${name}`);
  } catch (error) {
    failed++;
    console.log(`failed  states: ${name}: ${error.message}`);
    for (const child of running) child.kill('SIGKILL');
    running.clear();
  }
}
rmSync(folder, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
