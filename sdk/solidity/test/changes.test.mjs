// Changes that wait: for how long, who may stop them, and what becomes of them when those who proposed them lose their authority.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { decodeAbiParameters, parseEventLogs, zeroAddress } from 'viem';
import {
  DAY, ENFORCE, KIND, SHADOW, TERMS, abi, bytesOf, deployer, governance, guardian, lower, manager, startScene, stranger, thief,
} from './scene.mjs';

const DELAY_MAX = 30 * DAY;
const LIFETIME = 14 * DAY;

let scene;
before(async () => { scene = await startScene(); });
after(() => scene.stop());

const events = ({ logs }) => parseEventLogs({ abi, logs }).map(({ eventName, args }) => [eventName, args]);
const names = (receipt) => events(receipt).map(([name]) => name);
const modeOf = async (id) => (await scene.read('attachment', [id])).mode;
const pending = async (id, kind) => scene.read('pendingChange', [id, kind]);
const none = async (id, kind) => assert.deepEqual(await scene.refused(stranger, 'applyChange', id, kind), ['NoPendingChange', id, kind]);
const apply = (id, kind) => scene.act(stranger, 'applyChange', id, kind);

/** A vault of the deployer's, guarded with a delay of one day. */
async function guarded(changes = {}) {
  const vault = await scene.ownedBy(deployer.address);
  const id = await scene.attach(deployer, [vault.address], { mode: ENFORCE, manager: manager.address, ...changes });
  await scene.act(deployer, 'setDelay', id, DAY);
  return { vault, id };
}

describe('a change', () => {
  it('waits for the delay of its attachment, in sight of all, and is applied by anyone', async () => {
    const { id } = await guarded();
    const head = await scene.read('head');
    const receipt = await scene.act(deployer, 'setMode', id, SHADOW);
    const readyAt = (await scene.now()) + BigInt(DAY);
    assert.deepEqual(names(receipt), ['ChangeProposed']);
    assert.deepEqual([await modeOf(id), await scene.read('head')], [ENFORCE, head]);
    const change = await pending(id, KIND.Mode);
    assert.deepEqual(
      [change.attachment, change.kind, change.proposer, change.readyAt, change.lapsesAt],
      [id, KIND.Mode, deployer.address, readyAt, readyAt + BigInt(LIFETIME)],
    );
    assert.deepEqual(decodeAbiParameters([{ type: 'uint8' }], change.arguments), [SHADOW]);
    assert.deepEqual(await scene.refused(stranger, 'applyChange', id, KIND.Mode), ['ChangeNotReady', id, KIND.Mode, readyAt]);
    await scene.pass(DAY);
    assert.deepEqual(names(await apply(id, KIND.Mode)), ['ChangeApplied', 'ModeChanged']);
    assert.equal(await modeOf(id), SHADOW);
    assert.notEqual(await scene.read('head'), head);
    await none(id, KIND.Mode);
  });

  it('of every kind waits', async () => {
    const { id } = await guarded();
    const other = await scene.register(deployer, bytesOf(77, 50));
    const terms = { ...TERMS, fuelMax: 7n, escapes: ['0x01020304'] };
    await scene.act(guardian, 'pause', id);
    const before = await scene.read('attachment', [id]);
    await scene.act(deployer, 'setMode', id, SHADOW);
    await scene.act(deployer, 'upgrade', id, other, '0x55');
    await scene.act(deployer, 'setTerms', id, terms);
    await scene.act(deployer, 'setDelay', id, 0);
    await scene.act(deployer, 'proposeManager', id, stranger.address);
    await scene.act(guardian, 'unpause', id);
    await scene.act(deployer, 'detach', id);
    assert.deepEqual(await scene.read('attachment', [id]), before);
    const kinds = [KIND.Mode, KIND.Content, KIND.Terms, KIND.Delay, KIND.Manager, KIND.Unpause];
    for (const kind of [...kinds, KIND.Detach]) {
      assert.equal((await scene.refused(stranger, 'applyChange', id, kind))[0], 'ChangeNotReady');
    }
    await scene.pass(DAY);
    for (const kind of kinds) await apply(id, kind);
    const changed = await scene.read('attachment', [id]);
    assert.deepEqual(
      [changed.mode, changed.module, changed.configuration, changed.delay, changed.manager, changed.proposedManager, changed.paused],
      [SHADOW, other, '0x55', 0, zeroAddress, stranger.address, false],
    );
    assert.deepEqual([changed.terms.fuelMax, changed.terms.escapes], [7n, ['0x01020304']]);
    await apply(id, KIND.Detach);
    assert.deepEqual(await scene.refused(deployer, 'detach', id), ['UnknownAttachment', id]);
  });

  it('replaces one of its kind, and waits anew', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'setConfiguration', id, '0x01');
    await scene.pass(DAY);
    await scene.act(deployer, 'setConfiguration', id, '0x02');
    assert.equal((await scene.refused(stranger, 'applyChange', id, KIND.Content))[0], 'ChangeNotReady');
    await scene.pass(DAY);
    await apply(id, KIND.Content);
    assert.equal((await scene.read('attachment', [id])).configuration, '0x02');
  });

  it('lapses, and then anyone may clear it away', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'detach', id);
    assert.equal((await scene.refused(thief, 'cancelChange', id, KIND.Detach))[0], 'NotEntitled');
    await scene.pass(DAY + LIFETIME + 1);
    assert.equal((await scene.refused(stranger, 'applyChange', id, KIND.Detach))[0], 'ChangeLapsed');
    await scene.act(thief, 'cancelChange', id, KIND.Detach);
    await none(id, KIND.Detach);
  });

  it('is no more than a revision where somebody keeps a guard, and whoever may stop a change may do that', async () => {
    const { id } = await guarded();
    const before = await scene.read('attachment', [id]);
    assert.deepEqual(await scene.refused(thief, 'keep', id), ['NotEntitled', id, thief.address]);
    for (const who of [guardian, deployer, manager]) await scene.act(who, 'keep', id);
    assert.deepEqual(await scene.read('attachment', [id]), { ...before, revision: before.revision + 3 });
  });

  it('is gone with its attachment', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'detach', id);
    await scene.act(deployer, 'setMode', id, SHADOW);
    const count = await scene.read('pendingChangeCount');
    await scene.pass(DAY);
    await apply(id, KIND.Detach);
    assert.equal(await scene.read('pendingChangeCount'), count - 2n);
    await none(id, KIND.Mode);
  });

  it('that takes effect at once replaces what waits', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'setDelay', id, 0);
    await scene.act(deployer, 'setMode', id, SHADOW);
    await scene.pass(DAY);
    await apply(id, KIND.Delay);
    const receipt = await scene.act(deployer, 'setMode', id, SHADOW);
    assert.deepEqual(names(receipt), ['ChangeCancelled', 'ModeChanged']);
    await none(id, KIND.Mode);
  });

  it('is listed, page by page', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'detach', id);
    await scene.act(deployer, 'setMode', id, SHADOW);
    const count = await scene.read('pendingChangeCount');
    const all = await scene.read('pendingChanges', [0n, 1_000n]);
    assert.equal(BigInt(all.length), count);
    assert.deepEqual(await scene.read('pendingChanges', [1n, 2n]), all.slice(1, 3));
    assert.deepEqual(await scene.read('pendingChanges', [count, 1n]), []);
    const here = all.filter((change) => change.attachment === id).map((change) => change.kind);
    assert.deepEqual(here.sort(), [KIND.Mode, KIND.Detach]);
  });
});

describe('an attachment', () => {
  it('waits for its own delay', async () => {
    const vault = await scene.ownedBy(deployer.address);
    const receipt = await scene.act(deployer, 'attach', await scene.request([vault.address], { delay: DAY }));
    const id = receipt.result;
    assert.deepEqual(await scene.guards(vault.address), []);
    assert.deepEqual(await scene.refused(stranger, 'attachment', id), ['UnknownAttachment', id]);
    await scene.pass(DAY);
    const applied = events(await apply(id, KIND.Attach));
    assert.deepEqual(applied.map(([name]) => name), ['ChangeApplied', 'Attached']);
    assert.equal(applied[1][1].by, deployer.address);
    assert.deepEqual((await scene.guards(vault.address)).map((guard) => guard.id), [id]);
  });

  it('waits for the longest delay of those that its accounts have', async () => {
    const { vault } = await guarded();
    const free = await scene.ownedBy(deployer.address);
    const { result } = await scene.act(deployer, 'attach', await scene.request([free.address, vault.address]));
    const change = await pending(result, KIND.Attach);
    assert.equal(change.readyAt, (await scene.now()) + BigInt(DAY));
    await scene.act(deployer, 'cancelChange', result, KIND.Attach);
    await scene.attach(deployer, [free.address]);
    assert.equal((await scene.guards(free.address)).length, 1);
  });

  it('that waits is stopped by who has authority over any account, its manager and the guardian, and nobody else', async () => {
    const { vault } = await guarded();
    for (const who of [deployer, manager, guardian]) {
      const wanted = await scene.request([vault.address], { manager: manager.address });
      const { result } = await scene.act(deployer, 'attach', wanted);
      for (const other of [thief, governance]) {
        assert.deepEqual(await scene.refused(other, 'cancelChange', result, KIND.Attach), ['NotEntitled', result, other.address]);
      }
      const receipt = await scene.act(who, 'cancelChange', result, KIND.Attach);
      assert.deepEqual(events(receipt), [['ChangeCancelled', { attachment: result, kind: KIND.Attach, by: who.address }]]);
    }
  });

  it('does not come when its account has changed hands meanwhile', async () => {
    const vault = await scene.ownedBy(deployer.address);
    const { result } = await scene.act(deployer, 'attach', await scene.request([vault.address], { delay: DAY }));
    await scene.mined(vault.write.setOwner([stranger.address]));
    await scene.pass(DAY);
    const error = await scene.refused(stranger, 'applyChange', result, KIND.Attach);
    assert.deepEqual(lower(error), lower(['NoAuthority', vault.address, deployer.address]));
    await scene.act(stranger, 'cancelChange', result, KIND.Attach);
  });
});

describe('a delay', () => {
  it('has a longest', async () => {
    const { id } = await guarded();
    assert.deepEqual(await scene.refused(deployer, 'setDelay', id, DELAY_MAX + 1), ['DelayTooLong', DELAY_MAX + 1, DELAY_MAX]);
    const wanted = await scene.request([deployer.address], { delay: DELAY_MAX + 1 });
    assert.equal((await scene.refused(deployer, 'attach', wanted))[0], 'DelayTooLong');
  });

  it('of the chain holds for attachments with none, and is lowered only after it', async () => {
    const vault = await scene.ownedBy(deployer.address);
    const id = await scene.attach(deployer, [vault.address]);
    assert.deepEqual(await scene.refused(deployer, 'setDelayMin', DAY), ['NotGovernance', deployer.address]);
    assert.equal((await scene.refused(governance, 'setDelayMin', DELAY_MAX + 1))[0], 'DelayTooLong');
    await scene.act(governance, 'setDelayMin', DAY);
    assert.equal(await scene.read('delayMin'), DAY);
    await scene.act(deployer, 'detach', id);
    assert.equal((await scene.guards(vault.address)).length, 1);
    await scene.act(governance, 'setDelayMin', 0);
    assert.equal(await scene.read('delayMin'), DAY);
    await scene.act(governance, 'setDelayMin', 2 * DAY);
    assert.equal(await scene.read('delayMin'), 2 * DAY);
    await scene.act(governance, 'setDelayMin', 0);
    await scene.pass(2 * DAY - 60);
    assert.equal(await scene.read('delayMin'), 2 * DAY);
    await scene.pass(60);
    assert.equal(await scene.read('delayMin'), 0);
    await apply(id, KIND.Detach);
  });
});

describe('a stolen owner key', () => {
  it('cannot remove the guard while the manager or the guardian watches', async () => {
    const { vault, id } = await guarded();
    for (const watcher of [manager, guardian]) {
      await scene.act(deployer, 'detach', id);
      await scene.act(watcher, 'cancelChange', id, KIND.Detach);
      await scene.pass(DAY);
      await none(id, KIND.Detach);
    }
    assert.equal((await scene.guards(vault.address)).length, 1);
  });

  it('loses what it set going as the account changes hands', async () => {
    const { vault, id } = await guarded();
    await scene.act(deployer, 'detach', id);
    await scene.mined(vault.write.setOwner([stranger.address]));
    await scene.pass(DAY);
    const error = await scene.refused(thief, 'applyChange', id, KIND.Detach);
    assert.deepEqual(lower(error), lower(['NoAuthority', vault.address, deployer.address]));
  });

  it('takes two delays to be rid of a manager and the guard, and the guardian can stop the first', async () => {
    const { id } = await guarded();
    await scene.act(deployer, 'proposeManager', id, thief.address);
    assert.deepEqual(await scene.refused(manager, 'cancelChange', id, KIND.Manager), ['NotEntitled', id, manager.address]);
    assert.deepEqual(await scene.refused(thief, 'acceptManager', id), ['NotProposed', thief.address]);
    await scene.act(guardian, 'cancelChange', id, KIND.Manager);
    await scene.act(deployer, 'proposeManager', id, zeroAddress);
    await scene.pass(DAY);
    const receipt = await apply(id, KIND.Manager);
    assert.deepEqual(names(receipt), ['ChangeApplied', 'ManagerChanged', 'ManagerProposed']);
    await scene.act(deployer, 'detach', id);
    assert.equal((await scene.refused(manager, 'cancelChange', id, KIND.Detach))[0], 'NotEntitled');
  });

  it('cannot weaken the guard at once by any door', async () => {
    const { id } = await guarded();
    const before = await scene.read('attachment', [id]);
    await scene.act(deployer, 'setTerms', id, { ...before.terms, escapes: ['0xdeadbeef'], failure: 1, fuelMax: 1n });
    await scene.act(deployer, 'setMode', id, SHADOW);
    await scene.act(deployer, 'setConfiguration', id, '0x00');
    await scene.act(deployer, 'setDelay', id, 0);
    await scene.act(deployer, 'proposeManager', id, thief.address);
    await scene.act(deployer, 'detach', id);
    assert.deepEqual(await scene.read('attachment', [id]), before);
  });
});

describe('an account that changed hands', () => {
  let vault;
  let id;
  beforeEach(async () => {
    vault = await scene.ownedBy(deployer.address);
    id = await scene.attach(deployer, [vault.address], { mode: SHADOW, manager: manager.address });
    await scene.mined(vault.write.setOwner([stranger.address]));
  });

  it('takes no additions until its new owner confirms', async () => {
    assert.equal(await scene.read('isConfirmed', [vault.address]), false);
    const frozen = ['AuthorityNotConfirmed', vault.address];
    const adds = [
      ['attach', await scene.request([vault.address])], ['setMode', id, ENFORCE], ['setConfiguration', id, '0x01'],
      ['setTerms', id, { ...TERMS, priority: 9 }], ['setDelay', id, DAY],
    ];
    for (const call of adds) assert.deepEqual(lower(await scene.refused(stranger, ...call)), frozen, call[0]);
    for (const call of adds.slice(1, 4)) assert.deepEqual(lower(await scene.refused(manager, ...call)), frozen, call[0]);
    for (const who of [deployer, thief, guardian, governance]) {
      const error = await scene.refused(who, 'confirmAuthority', vault.address);
      assert.deepEqual(lower(error), lower(['NoAuthority', vault.address, who.address]));
    }
    const [confirmed] = events(await scene.act(stranger, 'confirmAuthority', vault.address));
    assert.deepEqual(lower(Object.values(confirmed[1])), lower([vault.address, stranger.address]));
    for (const call of adds) await scene.act(stranger, ...call);
  });

  it('can be unguarded without that', async () => {
    await scene.act(stranger, 'detach', id);
    assert.deepEqual(await scene.guards(vault.address), []);
  });

  it('is not run by the manager of its former owner, not even loosened', async () => {
    await scene.act(stranger, 'confirmAuthority', vault.address);
    await scene.act(manager, 'setMode', id, ENFORCE);
    await scene.mined(vault.write.setOwner([thief.address]));
    assert.equal((await scene.refused(manager, 'setMode', id, SHADOW))[0], 'AuthorityNotConfirmed');
  });
});

describe('a manager', () => {
  it('tunes the guard, and neither removes it nor slows or hurries it', async () => {
    const { id } = await guarded();
    await scene.act(manager, 'setMode', id, SHADOW);
    await scene.act(manager, 'setConfiguration', id, '0x0a');
    await scene.act(manager, 'setTerms', id, { ...TERMS, priority: 2 });
    await scene.pass(DAY);
    for (const kind of [KIND.Mode, KIND.Content, KIND.Terms]) await apply(id, kind);
    const changed = await scene.read('attachment', [id]);
    assert.deepEqual([changed.mode, changed.configuration, changed.terms.priority], [SHADOW, '0x0a', 2]);
    for (const call of [['detach', id], ['setDelay', id, 0], ['unpause', id]]) {
      assert.equal((await scene.refused(manager, ...call))[0], 'NoAuthority', call[0]);
    }
  });

  it('hands its office on in two steps, at once', async () => {
    const { id } = await guarded();
    assert.equal((await scene.refused(thief, 'proposeManager', id, thief.address))[0], 'NoAuthority');
    await scene.act(manager, 'proposeManager', id, stranger.address);
    assert.equal((await scene.read('attachment', [id])).manager, manager.address);
    assert.deepEqual(await scene.refused(thief, 'acceptManager', id), ['NotProposed', thief.address]);
    const receipt = await scene.act(stranger, 'acceptManager', id);
    assert.deepEqual(events(receipt), [
      ['ManagerChanged', { attachment: id, previous: manager.address, current: stranger.address }],
    ]);
    assert.equal((await scene.refused(manager, 'setMode', id, SHADOW))[0], 'NoAuthority');
  });

  it('who was dismissed cannot save what it proposed', async () => {
    const { id } = await guarded();
    await scene.act(manager, 'setConfiguration', id, '0xbad0');
    await scene.act(deployer, 'proposeManager', id, zeroAddress);
    await scene.pass(DAY);
    await apply(id, KIND.Manager);
    assert.equal((await scene.refused(stranger, 'applyChange', id, KIND.Content))[0], 'NoAuthority');
  });
});

describe('the guardian', () => {
  it('pauses at once, whatever the delay, and unpausing waits', async () => {
    const { id } = await guarded();
    await scene.act(guardian, 'pause', id);
    assert.equal((await scene.read('attachment', [id])).paused, true);
    await scene.act(deployer, 'unpause', id);
    await scene.act(guardian, 'cancelChange', id, KIND.Unpause);
    await scene.act(guardian, 'unpause', id);
    assert.equal((await scene.read('attachment', [id])).paused, true);
    await scene.pass(DAY);
    assert.deepEqual(names(await apply(id, KIND.Unpause)), ['ChangeApplied', 'Unpaused']);
  });
});

describe('the whole chain', () => {
  it('has guards whose changes wait, stopped by governance and the guardian', async () => {
    const { result: id } = await scene.act(governance, 'attachChainWide', await scene.request([], { delay: DAY }));
    assert.deepEqual(await scene.refused(thief, 'cancelChange', id, KIND.Attach), ['NotEntitled', id, thief.address]);
    await scene.pass(DAY);
    await apply(id, KIND.Attach);
    const second = await scene.act(governance, 'attachChainWide', await scene.request([]));
    assert.equal((await pending(second.result, KIND.Attach)).readyAt, (await scene.now()) + BigInt(DAY));
    await scene.act(guardian, 'cancelChange', second.result, KIND.Attach);
    await scene.act(governance, 'detach', id);
    await scene.act(governance, 'cancelChange', id, KIND.Detach);
    await scene.act(governance, 'detach', id);
    await scene.pass(DAY);
    await apply(id, KIND.Detach);
  });
});

describe('the chain itself', () => {
  const system = '0xfffffffffffffffffffffffffffffffffffffffe';

  it('alone demotes, and only what enforces and declared a share', async () => {
    const { id } = await guarded({ demotionShare: 2_500 });
    const plain = await guarded();
    for (const who of [deployer, guardian, governance, manager]) {
      assert.deepEqual(await scene.refused(who, 'demote', id), ['NotSystem', who.address]);
    }
    await scene.client.impersonateAccount({ address: system });
    await scene.client.setBalance({ address: system, value: 10n ** 20n });
    const revision = (await scene.read('attachment', [id])).revision;
    assert.deepEqual(names(await scene.act(system, 'demote', id)), ['Demoted']);
    const demoted = await scene.read('attachment', [id]);
    assert.deepEqual([demoted.mode, demoted.demoted, demoted.revision], [SHADOW, true, revision + 1]);
    const head = await scene.read('head');
    for (const other of [id, plain.id]) assert.deepEqual(names(await scene.act(system, 'demote', other)), []);
    assert.equal(await scene.read('head'), head);
    await scene.act(deployer, 'setMode', id, ENFORCE);
    await scene.pass(DAY);
    await apply(id, KIND.Mode);
    assert.equal((await scene.read('attachment', [id])).demoted, false);
  });

  it('refuses terms that are out of bounds', async () => {
    const { id } = await guarded();
    const bad = async (changes) => scene.refused(deployer, 'setTerms', id, { ...TERMS, ...changes });
    assert.deepEqual(await bad({ demotionShare: 10_001 }), ['ShareTooLarge', 10_001, 10_000]);
    assert.deepEqual(await bad({ escapes: Array(17).fill('0x00000000') }), ['TooManyEscapes', 17n, 16n]);
    assert.deepEqual(await bad({ fuelMax: 100_000_001n }), ['FuelTooLarge', 100_000_001n, 100_000_000n]);
  });
});
