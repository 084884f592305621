// Asks anvil and Parapet the same, method by method, and compares the answers with what docs/ANVIL.md says of each method.
//   node against-anvil.mjs PATH_TO_PARAPET [--verbose] [--only METHOD]
// Every method of anvil's list has a row there: `same`, `other` or `absent`, the last two with a reason. A row that says
// something else than what happens fails, whichever way round.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { ANVIL, FEES, UNKNOWN_METHOD, Unknown, start } from './nodes.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));

// Fields that differ because the two chains do not begin with the same state (there is a registry on Parapet's), are not
// begun at the same time, or say who made them. docs/ANVIL.md names them.
const MASKED = new Set([
  'blockHash', 'parentHash', 'stateRoot', 'mixHash', 'extraData', 'size', 'timestamp', 'blockTimestamp', 'instanceId',
  'currentBlockHash', 'currentBlockTimestamp', 'latestBlockHash', 'clientVersion', 'clientSemver', 'clientCommitSha',
  'accountProof',
]);
// What anvil adds to blocks and receipts; the specification does not have it there.
const DROPPED = new Set(['totalDifficulty', 'blobGasPrice', 'blockTimestamp']);

const [ALICE, BOB, CAROL] = [
  '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
];
const STRANGER = '0x7777777777777777777777777777777777777777';
const NOBODY = '0x6666666666666666666666666666666666666666';
const NOTHING = `0x${'11'.repeat(32)}`;
const TRANSFER = { from: ALICE, to: BOB, value: '0x1', gas: '0x5208', ...FEES };
const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
/** Creation code for runtime code: copies what follows it and returns that. */
const creation = (runtime) => `0x61${(runtime.length / 2).toString(16).padStart(4, '0')}80600a5f395ff3${runtime}`;
/** Logs its calldata with topic 7 and returns it. */
const ECHO = creation('365f5f376007365fa1365ff3');
/** A token's reading half: answers with the word behind keccak256(first argument, 0). */
const TOKEN = creation('6004355f5260405f20545f5260205ff3');
const TYPED_DATA = {
  types: {
    EIP712Domain: [{ name: 'name', type: 'string' }, { name: 'chainId', type: 'uint256' }],
    Person: [{ name: 'name', type: 'string' }, { name: 'wallets', type: 'address[]' }],
    Mail: [{ name: 'from', type: 'Person' }, { name: 'contents', type: 'string' }],
  },
  primaryType: 'Mail',
  domain: { name: 'Ether Mail', chainId: 31337 },
  message: { from: { name: 'Alice', wallets: [ALICE, BOB] }, contents: 'Hello' },
};

const latest = (node) => node.must('eth_getBlockByNumber', 'latest', false);
/** What an account is, after a method has changed it. */
const account = async ({ must }, address) =>
  [await must('eth_getBalance', address, 'latest'), await must('eth_getTransactionCount', address, 'latest'),
    await must('eth_getCode', address, 'latest')];
const waiting = async ({ must }) => (await must('txpool_status')).pending;
/** Runs something while nothing is mined. */
const unmined = async (node, run) => {
  await node.must('evm_setAutomine', false);
  try {
    return await run();
  } finally {
    await node.must('anvil_dropAllTransactions');
    await node.must('evm_setAutomine', true);
  }
};
/** The answer of a method that has nothing but parameters. */
const plain = (...params) => (node, method) => node.ask(method, ...params);
/** The same of a transaction that was just mined. */
const ofMined = (params = (receipt) => [receipt.transactionHash]) => async (node, method) => {
  const receipt = await node.mined(TRANSFER);
  return node.ask(method, ...params(receipt));
};
/** The same of a call that logged. */
const ofLogged = (params) => async (node, method) => {
  const to = await node.deploy(ECHO);
  const receipt = await node.mined({ from: ALICE, to, data: '0x0102', gas: '0x186a0', ...FEES });
  return node.ask(method, ...params(receipt, to));
};

const sends = async (node, method) => {
  const answer = await node.ask(method, TRANSFER);
  return answer?.refused ? answer : node.receipt(answer.transactionHash ?? answer);
};
const sendsRaw = async (node, method) => {
  const { nonce = await node.must('eth_getTransactionCount', ALICE, 'latest') } = {};
  const raw = await node.must('eth_signTransaction', { ...TRANSFER, nonce, chainId: '0x7a69' });
  const answer = await node.ask(method, raw);
  return answer?.refused ? answer : node.receipt(answer.transactionHash ?? answer);
};
const impersonates = (start, stop) => async (node) => {
  await node.must('anvil_setBalance', STRANGER, '0xde0b6b3a7640000');
  const began = await node.ask(start.method, ...start.params);
  const accounts = await node.must('eth_accounts');
  const sent = await node.mined({ ...TRANSFER, from: STRANGER });
  const ended = await node.ask(stop.method, ...stop.params);
  const refused = await node.ask('eth_sendTransaction', { ...TRANSFER, from: STRANGER });
  return [began, accounts.length, sent.status, sent.from, ended, refused];
};
const filtered = async (node, method) => {
  const filter = await node.must(method, ...(method === 'eth_newFilter' ? [{}] : []));
  await node.mined({ from: ALICE, to: await node.deploy(ECHO), data: '0x01', gas: '0x186a0', ...FEES });
  const changes = await node.must('eth_getFilterChanges', filter);
  return [typeof filter, changes.map((change) => (typeof change === 'string' ? 'hash' : change)),
    await node.must('eth_uninstallFilter', filter), await node.must('eth_uninstallFilter', filter)];
};
const mines = (...params) => async (node, method) => {
  const before = Number((await latest(node)).number);
  const answer = await node.ask(method, ...params);
  return [answer, Number((await latest(node)).number) - before];
};
const deals = (read) => async (node, method) => {
  const token = await node.deploy(TOKEN);
  const answer = await node.ask(method, ...(read === 'allowance' ? [ALICE, BOB, token] : [ALICE, token]), '0x1234');
  return [answer, await node.must('eth_call', { to: token, data: `0x70a08231${ALICE.slice(2).padStart(64, '0')}` }, 'latest')];
};
const loads = async (node, method) => {
  await node.must('anvil_setBalance', STRANGER, '0x1234');
  const dump = await node.must('anvil_dumpState');
  await node.must('anvil_setBalance', STRANGER, '0x1');
  return [typeof dump, dump.slice(0, 6), await node.ask(method, dump), await account(node, STRANGER)];
};
const traced = (tracer) => ofLogged((receipt) => [receipt.transactionHash, tracer].filter(Boolean));

/** By method: what is asked of both. A case leaves the mode of mining as it found it; blocks and state are taken back. */
const CASES = {
  web3_clientVersion: async (node, method) => typeof (await node.ask(method)),
  web3_sha3: plain('0x68656c6c6f'),
  'eth_protocolVersion eth_chainId eth_networkId net_version net_listening eth_hashrate eth_gasPrice eth_maxPriorityFeePerGas eth_blobBaseFee eth_accounts eth_requestAccounts eth_blockNumber eth_coinbase eth_syncing eth_config txpool_status txpool_inspect txpool_content': plain(),
  'eth_getBalance eth_getAccount eth_getAccountInfo eth_getTransactionCount eth_getCode': async (node, method) => {
    const contract = await node.deploy(ECHO);
    return Promise.all([[contract, 'latest'], [NOBODY, 'latest'], [BOB, 'earliest'], [BOB, 'pending']].map((params) => node.ask(method, ...params)));
  },
  'eth_getStorageAt': async (node, method) => {
    await node.must('anvil_setStorageAt', STRANGER, '0x1', word(7));
    return [await node.ask(method, STRANGER, '0x1', 'latest'), await node.ask(method, STRANGER, '0x2', 'latest')];
  },
  eth_getStorageValues: async (node, method) => {
    await node.must('anvil_setStorageAt', STRANGER, '0x1', word(7));
    return node.ask(method, { [STRANGER]: [word(1), word(2)] }, 'latest');
  },
  eth_getProof: async (node, method) => {
    await node.must('anvil_setStorageAt', NOBODY, '0x1', word(7));
    await node.must('evm_mine');
    return node.ask(method, NOBODY, [word(1)], 'latest');
  },
  'eth_getBlockByHash': ofMined((receipt) => [receipt.blockHash, true]),
  'eth_getBlockByNumber': ofMined((receipt) => [receipt.blockNumber, true]),
  'eth_getBlockTransactionCountByHash eth_getUncleCountByBlockHash': ofMined((receipt) => [receipt.blockHash]),
  'eth_getBlockTransactionCountByNumber eth_getUncleCountByBlockNumber eth_getBlockReceipts erigon_getHeaderByNumber': ofMined((receipt) => [receipt.blockNumber]),
  'eth_getUncleByBlockHashAndIndex': ofMined((receipt) => [receipt.blockHash, '0x0']),
  'eth_getUncleByBlockNumberAndIndex': ofMined((receipt) => [receipt.blockNumber, '0x0']),
  'eth_sign': plain(ALICE, '0x68656c6c6f'),
  'personal_sign': plain('0x68656c6c6f', ALICE),
  'eth_signTransaction': plain({ ...TRANSFER, nonce: '0x0', chainId: '0x7a69' }),
  'eth_signTypedData eth_signTypedData_v3 eth_signTypedData_v4': plain(ALICE, TYPED_DATA),
  'eth_sendTransaction eth_sendTransactionSync eth_sendUnsignedTransaction': sends,
  'eth_sendRawTransaction eth_sendRawTransactionSync': sendsRaw,
  eth_call: async (node, method) => {
    const to = await node.deploy(ECHO);
    const override = { [STRANGER]: { code: '0x425f5260205ff3' } };
    return [await node.ask(method, { to, data: '0x0102' }, 'latest'),
      await node.ask(method, { to: STRANGER }, 'latest', override, { time: '0x5' }),
      await node.ask(method, { to: STRANGER, data: '0x' }, 'latest', { [STRANGER]: { code: '0x5f5ffd' } })];
  },
  eth_simulateV1: plain({ blockStateCalls: [{ calls: [{ from: ALICE, to: BOB, value: '0x1' }] }] }, 'latest'),
  eth_createAccessList: async (node, method) => {
    const to = await node.deploy(TOKEN);
    return node.ask(method, { from: ALICE, to, data: `0x70a08231${ALICE.slice(2).padStart(64, '0')}` }, 'latest');
  },
  eth_estimateGas: plain({ from: ALICE, to: BOB, value: '0x1' }, 'latest'),
  eth_fillTransaction: plain(TRANSFER),
  'eth_getTransactionByHash eth_getRawTransactionByHash eth_getTransactionReceipt debug_getRawTransaction trace_transaction ots_getInternalOperations ots_traceTransaction ots_getTransactionError': ofMined(),
  'eth_getTransactionByBlockHashAndIndex eth_getRawTransactionByBlockHashAndIndex': ofMined((receipt) => [receipt.blockHash, '0x0']),
  'eth_getTransactionByBlockNumberAndIndex eth_getRawTransactionByBlockNumberAndIndex': ofMined((receipt) => [receipt.blockNumber, '0x0']),
  'eth_getTransactionBySenderAndNonce ots_getTransactionBySenderAndNonce': async (node, method) => {
    const nonce = await node.must('eth_getTransactionCount', ALICE, 'latest');
    await node.mined(TRANSFER);
    return [await node.ask(method, ALICE, nonce), await node.ask(method, ALICE, '0xffff')];
  },
  'anvil_getBlobByHash anvil_getBlobsByTransactionHash': plain(NOTHING),
  anvil_getGenesisTime: async (node, method) => (await node.ask(method)) === Number((await node.must('eth_getBlockByNumber', '0x0', false)).timestamp),
  eth_getLogs: ofLogged((receipt, address) => [{ fromBlock: receipt.blockNumber, address }]),
  'eth_newFilter eth_newBlockFilter eth_newPendingTransactionFilter': filtered,
  'eth_getFilterChanges eth_getFilterLogs eth_uninstallFilter': async (node, method) => node.ask(method, await node.must('eth_newFilter', { fromBlock: 'latest' })),
  eth_feeHistory: async (node, method) => {
    const { blockNumber } = await node.mined(TRANSFER);
    return node.ask(method, '0x2', blockNumber, [50]);
  },
  debug_traceTransaction: async (node, method) => [await traced({ tracer: 'callTracer', tracerConfig: { withLog: true } })(node, method), await traced()(node, method)],
  debug_traceCall: async (node, method) => node.ask(method, { from: ALICE, to: await node.deploy(ECHO), data: '0x01', gas: '0x186a0' }, 'latest', { tracer: 'callTracer' }),
  debug_codeByHash: async (node, method) => {
    const { codeHash } = await node.must('eth_getAccount', await node.deploy(ECHO), 'latest');
    return [await node.ask(method, codeHash), await node.ask(method, NOTHING)];
  },
  'debug_traceBlockByHash': ofMined((receipt) => [receipt.blockHash, { tracer: 'callTracer' }]),
  'debug_traceBlockByNumber': ofMined((receipt) => [receipt.blockNumber, { tracer: 'callTracer' }]),
  trace_block: ofMined((receipt) => [receipt.blockNumber]),
  trace_filter: ofMined((receipt) => [{ fromBlock: receipt.blockNumber, toBlock: receipt.blockNumber }]),
  trace_replayBlockTransactions: ofMined((receipt) => [receipt.blockNumber, ['trace']]),
  'anvil_impersonateAccount hardhat_impersonateAccount': (node, method) =>
    impersonates({ method, params: [STRANGER] }, { method: 'anvil_stopImpersonatingAccount', params: [STRANGER] })(node),
  'anvil_stopImpersonatingAccount hardhat_stopImpersonatingAccount': (node, method) =>
    impersonates({ method: 'anvil_impersonateAccount', params: [STRANGER] }, { method, params: [STRANGER] })(node),
  'anvil_autoImpersonateAccount hardhat_autoImpersonateAccount': (node, method) =>
    impersonates({ method, params: [true] }, { method, params: [false] })(node),
  'anvil_getAutomine hardhat_getAutomine anvil_getIntervalMining': async (node, method) =>
    [await node.ask(method), await unmined(node, () => node.ask(method))],
  'anvil_mine hardhat_mine': async (node, method) => [await mines()(node, method), await mines('0x3', '0x3c')(node, method), await mines(2)(node, method)],
  evm_mine: async (node, method) => [await mines()(node, method), await mines({ timestamp: 4_000_000_000, blocks: 2 })(node, method),
    await mines(4_100_000_000)(node, method), Number((await latest(node)).timestamp)],
  'anvil_mine_detailed evm_mine_detailed': async (node, method) => unmined(node, async () => {
    await node.must('eth_sendTransaction', TRANSFER);
    return node.ask(method);
  }),
  'anvil_setAutomine evm_setAutomine': async (node, method) => {
    const off = await node.ask(method, false);
    const hash = await node.must('eth_sendTransaction', TRANSFER);
    const pending = await waiting(node);
    const on = await node.ask(method, true);
    await node.must('evm_mine');
    return [off, pending, on, (await node.receipt(hash)).status];
  },
  'anvil_setIntervalMining evm_setIntervalMining': async (node, method) => {
    const set = [await node.ask(method, 3600), await node.must('anvil_getIntervalMining'), await node.must('anvil_getAutomine')];
    const off = [await node.ask(method, 0), await node.must('anvil_getAutomine')];
    await node.must('evm_setAutomine', true);
    return [set, off];
  },
  'anvil_dropTransaction hardhat_dropTransaction': (node, method) => unmined(node, async () => {
    const hash = await node.must('eth_sendTransaction', TRANSFER);
    return [(await node.ask(method, hash)) === hash, await waiting(node), await node.ask(method, hash)];
  }),
  'anvil_dropAllTransactions hardhat_dropAllTransactions': (node, method) => unmined(node, async () => {
    await node.must('eth_sendTransaction', TRANSFER);
    return [await node.ask(method), await waiting(node)];
  }),
  anvil_removePoolTransactions: (node, method) => unmined(node, async () => {
    for (const from of [ALICE, ALICE, BOB]) await node.must('eth_sendTransaction', { ...TRANSFER, from });
    return [await node.ask(method, ALICE), await waiting(node)];
  }),
  anvil_setRpcUrl: plain('http://127.0.0.1:1'),
  'anvil_setBalance hardhat_setBalance tenderly_setBalance anvil_addBalance hardhat_addBalance tenderly_addBalance': async (node, method) => {
    await node.must('anvil_setBalance', STRANGER, '0x64');
    return [await node.ask(method, STRANGER, '0x17'), await account(node, STRANGER)];
  },
  'anvil_dealERC20 hardhat_dealERC20 anvil_setERC20Balance': deals('balance'),
  anvil_setERC20Allowance: deals('allowance'),
  'anvil_setCode hardhat_setCode': async (node, method) => [await node.ask(method, STRANGER, '0x6001'), await account(node, STRANGER)],
  'anvil_setNonce hardhat_setNonce evm_setAccountNonce': async (node, method) => [await node.ask(method, STRANGER, '0x9'), await account(node, STRANGER)],
  'anvil_setStorageAt hardhat_setStorageAt': async (node, method) => [await node.ask(method, STRANGER, '0x2', word(3)), await node.must('eth_getStorageAt', STRANGER, '0x2', 'latest')],
  'anvil_setCoinbase hardhat_setCoinbase': async (node, method) => {
    const { miner } = await latest(node);
    const answer = await node.ask(method, STRANGER);
    await node.must('evm_mine');
    const told = [answer, (await latest(node)).miner];
    await node.must('anvil_setCoinbase', miner);
    return told;
  },
  'anvil_setLoggingEnabled hardhat_setLoggingEnabled': async (node, method) => [await node.ask(method, true), await node.ask(method, false)],
  'anvil_setMinGasPrice hardhat_setMinGasPrice': plain('0x1'),
  'anvil_setNextBlockBaseFeePerGas hardhat_setNextBlockBaseFeePerGas': async (node, method) => {
    const answer = await node.ask(method, '0x2540be400');
    await node.must('evm_mine');
    return [answer, (await latest(node)).baseFeePerGas];
  },
  'anvil_setTime evm_setTime': async (node, method) => {
    const ahead = await node.ask(method, 4_100_000_000);
    await node.must('evm_mine');
    return [typeof ahead, Number((await latest(node)).timestamp) - 4_100_000_000 < 5];
  },
  'anvil_dumpState hardhat_dumpState': async (node, method) => {
    const dump = await node.ask(method);
    return [typeof dump, dump.slice(0, 6)];
  },
  'anvil_loadState hardhat_loadState': loads,
  'anvil_nodeInfo anvil_metadata hardhat_metadata': plain(),
  'anvil_snapshot evm_snapshot': async (node, method) => /^0x[0-9a-f]+$/.test(await node.ask(method)),
  'anvil_revert evm_revert': async (node, method) => {
    const [before, id] = [await latest(node), await node.must('evm_snapshot')];
    await node.mined(TRANSFER);
    return [await node.ask(method, id), (await latest(node)).hash === before.hash, await node.ask(method, id), await node.ask(method, '0xffff')];
  },
  'anvil_increaseTime evm_increaseTime': async (node, method) => {
    await node.must('evm_mine');
    const before = Number((await latest(node)).timestamp);
    const answer = await node.ask(method, 1_000);
    await node.must('evm_mine');
    return [typeof answer, Number((await latest(node)).timestamp) - before >= 1_000];
  },
  'anvil_setNextBlockTimestamp evm_setNextBlockTimestamp': async (node, method) => {
    const answer = await node.ask(method, 4_200_000_000);
    await node.must('evm_mine');
    return [answer, Number((await latest(node)).timestamp), await node.ask(method, 5)];
  },
  'anvil_setBlockGasLimit evm_setBlockGasLimit': async (node, method) => {
    const answer = await node.ask(method, '0x989680');
    await node.must('evm_mine');
    const told = [answer, (await latest(node)).gasLimit];
    await node.must(method, '0x1c9c380');
    return told;
  },
  'anvil_setBlockTimestampInterval anvil_removeBlockTimestampInterval': async (node) => {
    const set = await node.ask('anvil_setBlockTimestampInterval', 7);
    await node.must('evm_mine');
    const first = Number((await latest(node)).timestamp);
    await node.must('evm_mine');
    return [set, Number((await latest(node)).timestamp) - first, await node.ask('anvil_removeBlockTimestampInterval'), await node.ask('anvil_removeBlockTimestampInterval')];
  },
  ots_getApiLevel: plain(),
  ots_hasCode: async (node, method) => [await node.ask(method, await node.deploy(ECHO), 'latest'), await node.ask(method, STRANGER, 'latest')],
  ots_getBlockDetails: ofMined((receipt) => [receipt.blockNumber]),
  ots_getBlockDetailsByHash: ofMined((receipt) => [receipt.blockHash]),
  ots_getBlockTransactions: ofMined((receipt) => [Number(receipt.blockNumber), 0, 10]),
  'ots_searchTransactionsBefore ots_searchTransactionsAfter': async (node, method) => {
    await node.mined({ ...TRANSFER, to: STRANGER });
    return node.ask(method, STRANGER, 0, 5);
  },
  ots_getContractCreator: async (node, method) => node.ask(method, await node.deploy(ECHO)),
  anvil_reorg: async (node, method) => {
    for (let blocks = 0; blocks < 3; blocks++) await node.mined(TRANSFER);
    const before = await latest(node);
    const answer = await node.ask(method, 2, []);
    const after = await latest(node);
    return [answer, before.number === after.number, before.hash === after.hash, after.transactions.length];
  },
  anvil_rollback: async (node, method) => {
    await node.mined(TRANSFER);
    const before = await latest(node);
    return [await node.ask(method, 1), (await latest(node)).hash === before.parentHash];
  },
  'anvil_reset hardhat_reset': async (node, method) => {
    await node.mined(TRANSFER);
    return [await node.ask(method), (await latest(node)).number, await account(node, ALICE)];
  },
  'eth_subscribe eth_unsubscribe': async (node, asked) => {
    const socket = new WebSocket(node.url.replace('http', 'ws'));
    await once(socket, 'open');
    const call = (method, params) => {
      const answered = once(socket, 'message').then(([data]) => JSON.parse(data));
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      return answered;
    };
    const { result: id } = await call('eth_subscribe', ['newHeads']);
    const told = once(socket, 'message').then(([data]) => JSON.parse(data));
    await node.must('evm_mine');
    const { method, params } = await told;
    const ended = await call('eth_unsubscribe', [id]);
    socket.close();
    const head = asked === 'eth_subscribe' ? params.result : undefined;
    return [typeof id, method, params.subscription === id, head, ended.result];
  },
};

/** An answer without what the two chains cannot have in common. */
function masked(answer) {
  if (Array.isArray(answer)) return answer.map(masked);
  if (answer === null || typeof answer !== 'object') return answer;
  if (answer.refused) return 'refused';
  const isBlock = 'parentHash' in answer;
  const fields = Object.entries(answer).filter(([name]) => !DROPPED.has(name)).map(([name, value]) => {
    if (MASKED.has(name) || (isBlock && name === 'hash')) return [name, '*'];
    return [name, masked(value)];
  });
  return Object.fromEntries(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The first place at which two answers differ, in words; undefined where there is none. */
function difference(one, other, at = 'answer') {
  if (JSON.stringify(one) === JSON.stringify(other)) return undefined;
  const bothObjects = [one, other].every((value) => value !== null && typeof value === 'object');
  if (bothObjects && Array.isArray(one) === Array.isArray(other)) {
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const found = difference(one[name], other[name], `${at}.${name}`);
      if (found) return found;
    }
  }
  const short = (value) => (JSON.stringify(value) ?? 'nothing').slice(0, 160);
  return `${at}: anvil ${short(one)}, parapet ${short(other)}`;
}

/** What docs/ANVIL.md says of each of anvil's methods: `same`, `other` or `absent`, and why. */
function documented() {
  const text = readFileSync(path.join(HERE, '../../docs/ANVIL.md'), 'utf8');
  const rows = text.matchAll(/^\| (?<methods>`[^|]+`) \| (?<verdict>same|other|absent) \| (?<reason>[^|]*) \|$/gm);
  const table = new Map();
  for (const { groups: { methods, verdict, reason } } of rows) {
    for (const [, method] of methods.matchAll(/`(\w+)`/g)) {
      if (table.has(method)) throw new Error(`docs/ANVIL.md has ${method} twice`);
      table.set(method, { verdict, reason: reason.trim() });
    }
  }
  return table;
}

/** What a node answers to a method's case, taken back afterwards; anvil does not take back base fees, nor what was set. */
async function answered(node, method, run) {
  for (const [name, value] of [['Balance', '0x0'], ['Nonce', '0x0'], ['Code', '0x']]) await node.must(`anvil_set${name}`, STRANGER, value);
  for (const slot of ['0x1', '0x2']) await node.must('anvil_setStorageAt', STRANGER, slot, word(0));
  await node.must('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
  const snapshot = await node.must('evm_snapshot');
  try {
    return masked(await run(node, method));
  } catch (error) {
    if (error instanceof Unknown) return 'unknown method';
    return `failed: ${error.message}`;
  } finally {
    // Where the case began the chain anew there is nothing to go back to.
    if (!method.endsWith('_reset')) await node.ask('evm_revert', snapshot);
  }
}

async function compare(nodes, only, verbose) {
  const table = documented();
  const cases = new Map(Object.entries(CASES).flatMap(([methods, run]) => methods.split(' ').map((method) => [method, run])));
  const faults = [];
  for (const method of cases.keys()) if (!table.has(method)) faults.push(`${method} has a case here and no row in docs/ANVIL.md`);
  const counts = { same: 0, other: 0, absent: 0 };
  for (const [method, { verdict, reason }] of table) {
    if (only && method !== only) continue;
    if (verdict !== 'same' && !reason) faults.push(`docs/ANVIL.md gives no reason for ${method}`);
    const run = cases.get(method);
    if (!run) {
      const unknown = (await nodes[1].raw(method, [])).error?.code === UNKNOWN_METHOD;
      if (verdict !== 'absent' || !unknown) faults.push(`${method} has a row in docs/ANVIL.md and no case here`);
      counts[verdict]++;
      continue;
    }
    const [ours, theirs] = [await answered(nodes[1], method, run), await answered(nodes[0], method, run)];
    const found = ours === 'unknown method' ? 'absent' : difference(theirs, ours) === undefined ? 'same' : 'other';
    if (found !== verdict) faults.push(`${method} is ${found}, docs/ANVIL.md says ${verdict}: ${difference(theirs, ours) ?? 'no difference'}`);
    else if (verbose && found === 'other') console.log(`${method}: ${difference(theirs, ours)}`);
    counts[found]++;
  }
  console.log(`anvil's methods: ${counts.same} the same, ${counts.other} other, ${counts.absent} absent`);
  return faults;
}

const { values, positionals: [program] } = parseArgs({
  allowPositionals: true,
  options: { verbose: { type: 'boolean' }, only: { type: 'string' } },
});
if (!program) {
  console.error('usage: node against-anvil.mjs PATH_TO_PARAPET [--verbose] [--only METHOD]');
  process.exit(2);
}
const flags = ['--block-base-fee-per-gas', '1000000000'];
const started = [await start('anvil', ANVIL, ['--quiet', ...flags]), await start('parapet', path.resolve(program), ['dev', '--silent', '--log', 'error', ...flags])];
const faults = await compare(started.map(({ node }) => node), values.only, values.verbose);
for (const fault of faults) console.error(fault);
for (const { process: running } of started) running.kill('SIGKILL');
process.exit(faults.length === 0 ? 0 : 1);
