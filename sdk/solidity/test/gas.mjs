// What each call of the registry costs, compared with the committed snapshot.
//
//   node test/gas.mjs            fails, naming each call that costs another sum, is missing or is left over
//   node test/gas.mjs --update   writes the snapshot
//
// The sums are exact: the chain is fresh, its accounts and their nonces are always the same.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { getContractAddress, keccak256, padHex } from 'viem';
import { testContract } from './chain.mjs';
import {
  DAY, ENFORCE, KIND, MODULE_BYTES_MAX, SHADOW, TERMS, abi, bytesOf, deployer, governance, guardian, manager, startScene, stranger,
} from './scene.mjs';

// EIP-7825.
const TRANSACTION_GAS_MAX = 2 ** 24;
const SNAPSHOT = fileURLToPath(new URL('../gas.snapshot.json', import.meta.url));

const scene = await startScene();
const measured = {};
async function measure(what, from, functionName, ...args) {
  const receipt = await scene.act(from, functionName, ...args);
  if (what in measured) throw new Error(`${what} is measured twice`);
  measured[what] = Number(receipt.gasUsed);
  return receipt.result;
}

async function modules() {
  const large = await scene.upload(deployer, bytesOf(3, MODULE_BYTES_MAX));
  measured['uploadChunk, 24,575 bytes'] = Number(large.receipts[1].gasUsed);
  await measure('registerModule, 524,288 bytes', deployer, 'registerModule', large.module);
  const small = await scene.upload(deployer, bytesOf(2, 300));
  measured['uploadChunk, 300 bytes'] = Number(small.receipts[0].gasUsed);
  await measure('registerModule, 300 bytes', deployer, 'registerModule', small.module);
  return small.module;
}

async function authority() {
  const { address: self } = deployer;
  await measure('attach, to the sender itself', deployer, 'attach', await scene.request([self]));
  const owned = await scene.ownedBy(self);
  await measure('attach, by the owner', deployer, 'attach', await scene.request([owned.address]));
  const roles = await scene.make('Roles', [self]);
  await measure('attach, by role', deployer, 'attach', await scene.request([roles.address]));
  const proxy = await scene.make('Ownerless');
  await scene.administer(proxy.address, owned.address);
  await measure('attach, by the owner of a proxy’s admin', deployer, 'attach', await scene.request([proxy.address]));
  const nonce = BigInt(await scene.client.getTransactionCount({ address: self }));
  const ownerless = await scene.make('Ownerless');
  await measure('proveDeployer', deployer, 'proveDeployer', ownerless.address, nonce);
  await measure('attach, by the deployer', deployer, 'attach', await scene.request([ownerless.address]));
  const many = [];
  for (let index = 0; index < 64; index++) many.push((await scene.ownedBy(self)).address);
  const largest = await scene.request(many, { configuration: bytesOf(1, 4_096), escapes: Array(16).fill('0x01020304') });
  const id = await measure('attach, to 64 accounts, 4,096 bytes, 16 escapes', deployer, 'attach', largest);
  await measure('setMode, of 64 accounts', deployer, 'setMode', id, ENFORCE);
  await measure('detach, of 64 accounts', deployer, 'detach', id);
  const slow = await measure('attach, to 64 accounts, 4,096 bytes, 16 escapes, waits', deployer, 'attach', { ...largest, delay: DAY });
  await scene.pass(DAY);
  await measure('applyChange, attach to 64 accounts, 4,096 bytes, 16 escapes', stranger, 'applyChange', slow, KIND.Attach);
  await scene.mined(owned.write.setOwner([stranger.address]));
  await measure('confirmAuthority', stranger, 'confirmAuthority', owned.address);
}

async function changes(module) {
  const vault = await scene.ownedBy(deployer.address);
  const id = await scene.attach(deployer, [vault.address], { manager: manager.address });
  await measure('setMode', deployer, 'setMode', id, ENFORCE);
  await measure('setMode, by the manager', manager, 'setMode', id, SHADOW);
  await measure('setConfiguration, 128 bytes', deployer, 'setConfiguration', id, bytesOf(9, 128));
  await measure('upgrade, 128 bytes', deployer, 'upgrade', id, module, bytesOf(8, 128));
  await measure('setTerms, 2 escapes', deployer, 'setTerms', id, { ...TERMS, escapes: ['0x01020304', '0x05060708'] });
  await measure('proposeManager, by the manager', manager, 'proposeManager', id, stranger.address);
  await measure('acceptManager', stranger, 'acceptManager', id);
  await measure('proposeManager, by the owner', deployer, 'proposeManager', id, manager.address);
  await measure('keep, by the guardian', guardian, 'keep', id);
  await measure('pause', guardian, 'pause', id);
  await measure('unpause', guardian, 'unpause', id);
  await measure('setDelay', deployer, 'setDelay', id, DAY);
  await measure('setMode, waits', deployer, 'setMode', id, ENFORCE);
  await measure('cancelChange', guardian, 'cancelChange', id, KIND.Mode);
  await measure('attach, waits', deployer, 'attach', await scene.request([vault.address]));
  await measure('upgrade, 4,096 bytes, waits', deployer, 'upgrade', id, module, bytesOf(7, 4_096));
  await measure('detach, waits', deployer, 'detach', id);
  await scene.pass(DAY);
  await measure('applyChange, upgrade of 4,096 bytes', stranger, 'applyChange', id, KIND.Content);
  await measure('applyChange, detach', stranger, 'applyChange', id, KIND.Detach);
  const free = await scene.attach(deployer, [(await scene.ownedBy(deployer.address)).address]);
  await measure('detach', deployer, 'detach', free);
}

async function offices() {
  const id = await measure('attachChainWide', governance, 'attachChainWide', await scene.request([], { mode: ENFORCE, demotionShare: 1 }));
  const system = '0xfffffffffffffffffffffffffffffffffffffffe';
  await scene.client.impersonateAccount({ address: system });
  await scene.client.setBalance({ address: system, value: 10n ** 20n });
  await measure('demote', system, 'demote', id);
  await measure('proposeGuardian', guardian, 'proposeGuardian', stranger.address);
  await measure('acceptGuardian', stranger, 'acceptGuardian');
  await measure('proposeGovernance', governance, 'proposeGovernance', stranger.address);
  await measure('acceptGovernance', stranger, 'acceptGovernance');
  await measure('setDelayMin', stranger, 'setDelayMin', DAY);
}

async function create2() {
  const factory = await scene.make('Wallet');
  const { bytecode } = testContract('Ownerless');
  const [salt, hash] = [padHex('0x5a17'), keccak256(bytecode)];
  const address = getContractAddress({ opcode: 'CREATE2', from: factory.address, salt, bytecodeHash: hash });
  await scene.mined(factory.write.create2([bytecode, salt]));
  // The factory itself calls, as if it had a key, so that only the registry's work is measured.
  await scene.client.impersonateAccount({ address: factory.address });
  await scene.client.setBalance({ address: factory.address, value: 10n ** 18n });
  await measure('proveDeployer2', factory.address, 'proveDeployer2', address, salt, hash);
}

/** One line for each sum that is not what the snapshot says. */
function differences(known) {
  const names = new Set([...Object.keys(known), ...Object.keys(measured)]);
  return [...names].filter((name) => known[name] !== measured[name]).map((name) =>
    `${name}: ${measured[name] ?? 'not measured'}, the snapshot has ${known[name] ?? 'nothing'}`);
}

function unmeasured() {
  const calls = abi.filter((item) => item.type === 'function' && item.stateMutability === 'nonpayable').map((item) => item.name);
  return calls.filter((name) => !Object.keys(measured).some((what) => what.split(',')[0] === name));
}

try {
  const module = await modules();
  await authority();
  await changes(module);
  await create2();
  await offices();
} finally {
  scene.stop();
}
const missing = unmeasured();
const dear = Object.keys(measured).filter((what) => measured[what] > TRANSACTION_GAS_MAX);
if (dear.length > 0) throw new Error(`calls that fit into no transaction: ${dear.join(', ')}`);
if (missing.length > 0) throw new Error(`calls that are not measured: ${missing.join(', ')}`);
if (process.argv.includes('--update')) {
  writeFileSync(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
  console.log(`wrote ${Object.keys(measured).length} sums`);
} else {
  const found = differences(existsSync(SNAPSHOT) ? JSON.parse(readFileSync(SNAPSHOT, 'utf8')) : {});
  found.forEach((line) => console.error(line));
  console.log(found.length === 0 ? `gas: ${Object.keys(measured).length} calls cost what the snapshot says` : 'run: node sdk/solidity/test/gas.mjs --update');
  process.exitCode = found.length === 0 ? 0 : 1;
}
