// Whatever people without authority call, in whatever order, what guards an account stays as it is.
// A failure prints the seed; `STRANGERS_SEED=… STRANGERS_CALLS=…` repeats it or tries more.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { BaseError, padHex, toHex, zeroAddress } from 'viem';
import { account } from './chain.mjs';
import { DAY, ENFORCE, KIND, TERMS, abi, deployer, governance, guardian, manager, startScene, stranger, thief } from './scene.mjs';

const SEED = Number(process.env.STRANGERS_SEED ?? Date.now() % 1_000_000);
const CALLS = Number(process.env.STRANGERS_CALLS ?? 400);

/** Numbers from 0 to below `bound`, the same ones for the same seed (mulberry32). */
function numbers(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

let scene;
before(async () => { scene = await startScene(); });
after(() => scene.stop());

/** Accounts in every kind of hands, all of them guarded, with changes that wait. */
async function victims() {
  const vault = await scene.ownedBy(deployer.address);
  const sold = await scene.ownedBy(stranger.address);
  const roles = await scene.make('Roles', [deployer.address]);
  const proxy = await scene.ownedBy(thief.address);
  await scene.administer(proxy.address, deployer.address);
  const nonce = BigInt(await scene.client.getTransactionCount({ address: deployer.address }));
  const ownerless = await scene.make('Ownerless');
  await scene.act(deployer, 'proveDeployer', ownerless.address, nonce);
  const guarded = { mode: ENFORCE, manager: manager.address, configuration: '0x0102' };
  const ids = [];
  for (const contract of [vault, roles, proxy, ownerless]) ids.push(await scene.attach(deployer, [contract.address], guarded));
  ids.push(await scene.attach(deployer, [deployer.address, vault.address], guarded));
  // The stranger attached, sold, and nobody has confirmed since.
  ids.push(await scene.attach(stranger, [sold.address], guarded));
  await scene.mined(sold.write.setOwner([deployer.address]));
  ids.push((await scene.act(governance, 'attachChainWide', await scene.request([], guarded))).result);
  await scene.act(deployer, 'setDelay', ids[0], DAY);
  await scene.act(deployer, 'detach', ids[0]);
  const waiting = (await scene.act(deployer, 'attach', await scene.request([vault.address]))).result;
  await scene.act(guardian, 'pause', ids[1]);
  const accounts = [vault, sold, roles, proxy, ownerless, deployer].map(({ address }) => address);
  return { accounts: [...accounts, zeroAddress], ids: [...ids, waiting] };
}

/** All that must not change. */
async function snapshot({ accounts, ids }) {
  const offices = ['guardian', 'governance', 'proposedGuardian', 'proposedGovernance', 'delayMin', 'pendingChangeCount'];
  return {
    guards: await Promise.all(accounts.map((address) => scene.guards(address))),
    confirmed: await Promise.all(accounts.map((address) => scene.read('confirmedAuthority', [address]))),
    offices: await Promise.all(offices.map((name) => scene.read(name))),
    waiting: [await scene.read('pendingChange', [ids[0], KIND.Detach]), await scene.read('pendingChange', [ids.at(-1), KIND.Attach])],
    head: await scene.read('head'),
  };
}

it(`no sequence of calls by strangers changes what guards an account (seed ${SEED})`, async () => {
  const world = await victims();
  const before = await snapshot(world);
  const below = numbers(SEED);
  const pick = (list) => list[below(list.length)];
  const callers = [thief, stranger, account(6), account(7)];
  const someone = () => pick([...callers.map((who) => who.address), deployer.address, manager.address, zeroAddress]);
  const id = () => pick([...world.ids, ...world.ids, padHex('0x1234')]);
  const victim = () => pick(world.accounts);
  const module = await scene.aModule();
  const request = async (accounts) => scene.request(accounts, {
    mode: 1 + below(2), delay: below(2) * DAY, manager: someone(), priority: below(4), configuration: toHex(below(256), { size: 1 }),
  });
  const terms = () => ({ ...TERMS, priority: below(9), demotionShare: below(10_001), triggers: below(8), escapes: ['0xdeadbeef'] });
  const calls = [
    async () => ['attach', await request([victim()])],
    async () => ['attach', await request([victim(), victim()])],
    async () => ['attachChainWide', await request([])],
    async () => ['setMode', id(), 1 + below(2)],
    async () => ['setConfiguration', id(), toHex(below(256), { size: 1 })],
    async () => ['upgrade', id(), module, toHex(below(256), { size: 1 })],
    async () => ['setTerms', id(), terms()],
    async () => ['setDelay', id(), below(3) * DAY],
    async () => ['detach', id()],
    async () => ['unpause', id()],
    async () => ['pause', id()],
    async () => ['demote', id()],
    async () => ['keep', id()],
    async () => ['proposeManager', id(), someone()],
    async () => ['acceptManager', id()],
    async () => ['applyChange', id(), below(8)],
    async () => ['cancelChange', id(), below(8)],
    async () => ['confirmAuthority', victim()],
    async () => ['proveDeployer', victim(), BigInt(below(40))],
    async () => ['proveDeployer2', victim(), padHex(toHex(below(3))), padHex(toHex(below(3)))],
    async () => ['proposeGuardian', someone()],
    async () => ['acceptGuardian'],
    async () => ['proposeGovernance', someone()],
    async () => ['acceptGovernance'],
    async () => ['setDelayMin', below(3) * DAY],
    async () => ['registerModule', module],
  ];
  const tried = new Map();
  const log = [];
  for (let number = 0; number < CALLS; number++) {
    const [functionName, ...args] = await pick(calls)();
    const from = pick(callers);
    log.push(`${from.address} ${functionName} ${JSON.stringify(args, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`);
    tried.set(functionName, (tried.get(functionName) ?? 0) + 1);
    try {
      await scene.act(from, functionName, ...args);
    } catch (error) {
      assert(error instanceof BaseError, error);
    }
  }
  const named = abi.filter((item) => item.type === 'function' && !['view', 'pure'].includes(item.stateMutability));
  const untried = named.map((item) => item.name).filter((name) => !tried.has(name) && name !== 'uploadChunk');
  assert.deepEqual(CALLS < 300 ? [] : untried, [], 'functions that no stranger called');
  assert.deepEqual(await snapshot(world), before, log.join('\n'));
});
