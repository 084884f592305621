import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { concatHex, getAddress, keccak256, padHex, parseEventLogs, toHex, zeroAddress } from 'viem';
import { REGISTRY_ADDRESS, account, registryArtifact, slot } from './chain.mjs';
import {
  ENFORCE, MODULE_BYTES_MAX, attachmentId, bytesOf, deployer, governance, guardian, startScene, stranger,
} from './scene.mjs';

let scene;
let chain;
before(async () => { scene = await startScene(); chain = scene.chain; });
after(() => scene.stop());

const read = (...args) => scene.read(...args);
const act = (...args) => scene.act(...args);
const refused = (...args) => scene.refused(...args);
const mined = (hash) => scene.mined(hash);
const upload = (...args) => scene.upload(...args);
const register = (...args) => scene.register(...args);
const aModule = () => scene.aModule();
const request = (...args) => scene.request(...args);
const attach = (...args) => scene.attach(...args);
const ownedBy = (address) => scene.ownedBy(address);

describe('modules', () => {
  it('registers a small module and gives its bytes back', async () => {
    const code = bytesOf(2, 300);
    const { module } = await upload(stranger, code);
    const count = await read('moduleCount');
    const receipt = await act(stranger, 'registerModule', module);
    const [event] = parseEventLogs({ abi: chain.registry.abi, logs: receipt.logs });
    assert.equal(event.eventName, 'ModuleRegistered');
    assert.deepEqual(event.args, { module, uploader: stranger.address, size: 300 });
    assert.equal(await read('moduleCode', [module]), code);
    assert.equal(await read('moduleCount'), count + 1n);
    const info = await read('moduleInfo', [module]);
    assert.equal(info.registeredAt, receipt.blockNumber);
    assert.equal(await chain.client.getCode({ address: info.chunks[0] }), concatHex(['0x00', code]));
  });

  it('registers a module of the largest size within one transaction’s gas', async () => {
    const code = bytesOf(3, MODULE_BYTES_MAX);
    const { module, receipts } = await upload(deployer, code);
    assert.equal(receipts.length, 22);
    const receipt = await act(deployer, 'registerModule', module);
    assert.equal(await read('moduleCode', [module]), code);
  });

  it('refuses a module one byte too large', async () => {
    const { module } = await upload(deployer, bytesOf(4, MODULE_BYTES_MAX + 1));
    assert.deepEqual(await refused(deployer, 'registerModule', module), [
      'ModuleTooLarge', module, BigInt(MODULE_BYTES_MAX + 1), BigInt(MODULE_BYTES_MAX),
    ]);
  });

  it('refuses bytes that do not have the hash', async () => {
    const module = keccak256('0x01');
    await act(deployer, 'uploadChunk', module, 0n, '0x02');
    assert.deepEqual(await refused(deployer, 'registerModule', module), ['ModuleHashMismatch', module, keccak256('0x02')]);
    await act(deployer, 'uploadChunk', module, 0n, '0x01');
    await act(deployer, 'registerModule', module);
    assert.equal(await read('moduleCode', [module]), '0x01');
  });

  it('keeps uploads apart by sender', async () => {
    const code = bytesOf(5, 100);
    const { module } = await upload(deployer, code);
    await act(stranger, 'uploadChunk', module, 0n, '0xbad0');
    assert.deepEqual((await refused(stranger, 'registerModule', module))[0], 'ModuleHashMismatch');
    await act(deployer, 'registerModule', module);
    assert.equal(await read('moduleCode', [module]), code);
  });

  it('registers a registered module again without a change, and clears that upload', async () => {
    const code = bytesOf(6, 100);
    const module = await register(deployer, code);
    await upload(stranger, code);
    const [head, count] = [await read('head'), await read('moduleCount')];
    const receipt = await act(stranger, 'registerModule', module);
    assert.deepEqual([await read('head'), await read('moduleCount'), receipt.logs.length], [head, count, 0]);
    assert.deepEqual(await read('uploadedChunks', [stranger.address, module]), []);
    assert.equal((await read('moduleInfo', [module])).uploader, deployer.address);
  });

  it('refuses chunks out of order, empty, too large or too many', async () => {
    const module = keccak256('0x0102');
    assert.deepEqual(await refused(deployer, 'uploadChunk', module, 1n, '0x01'), ['ChunkIndexOutOfOrder', module, 1n, 0n]);
    assert.deepEqual(await refused(deployer, 'uploadChunk', module, 22n, '0x01'), ['ChunkIndexTooLarge', 22n, 21n]);
    assert.deepEqual(await refused(deployer, 'uploadChunk', module, 0n, '0x'), ['ChunkSizeOutOfRange', 0n, 24575n]);
    assert.deepEqual(await refused(deployer, 'uploadChunk', module, 0n, bytesOf(7, 24_576)), ['ChunkSizeOutOfRange', 24576n, 24575n]);
    assert.deepEqual(await refused(deployer, 'registerModule', module), ['UploadMissing', module, deployer.address]);
  });

  it('stores nothing when the same chunk is uploaded twice', async () => {
    const module = keccak256('0x0103');
    await act(deployer, 'uploadChunk', module, 0n, '0x0103');
    const before = await read('uploadedChunks', [deployer.address, module]);
    const receipt = await act(deployer, 'uploadChunk', module, 0n, '0x0103');
    assert.equal(receipt.logs.length, 0);
    assert.deepEqual(await read('uploadedChunks', [deployer.address, module]), before);
  });
});

describe('attach', () => {
  it('lets an account attach to itself, and an owner to what it owns', async () => {
    const vault = await ownedBy(stranger.address);
    const receipt = await act(stranger, 'attach', await request([stranger.address, vault.address], {
      configuration: '0x0a0b', mode: ENFORCE, failure: 1, priority: 7,
    }));
    const id = receipt.result;
    const [event] = parseEventLogs({ abi: chain.registry.abi, logs: receipt.logs, eventName: 'Attached' });
    assert.deepEqual(event.args, {
      attachment: id, module: await aModule(), by: stranger.address,
      accounts: [stranger.address, getAddress(vault.address)], mode: ENFORCE,
    });
    const stored = await read('attachment', [id]);
    assert.equal(stored.terms.fuelMax, 10_000_000n);
    assert.equal(stored.attachedAt, receipt.blockNumber);
    assert.deepEqual([stored.mode, stored.terms.failure, stored.terms.priority], [2, 1, 7]);
    assert.deepEqual([stored.paused, stored.configuration, stored.manager], [false, '0x0a0b', zeroAddress]);
    assert.deepEqual(await read('attachmentsOf', [vault.address]), [id]);
  });

  it('names attachments by chain, registry, sender and counter', async () => {
    const nonce = BigInt(await slot(chain, 8));
    const attached = await act(deployer, 'attach', await request([deployer.address]));
    const id = attached.result;
    assert.equal(id, attachmentId(REGISTRY_ADDRESS, deployer.address, nonce + 1n));
    await act(deployer, 'detach', id);
  });

  it('lets a contract attach to itself while it is constructed', async () => {
    const guarded = await scene.make('SelfGuarded', [await aModule()]);
    const id = await guarded.read.attachment();
    assert.deepEqual(await read('attachmentsOf', [guarded.address]), [id]);
    assert.deepEqual((await read('attachment', [id])).accounts.map((one) => one.toLowerCase()), [guarded.address]);
  });

  it('refuses a sender without authority over any one account', async () => {
    const [own, foreign] = [await ownedBy(stranger.address), await ownedBy(deployer.address)];
    const error = await refused(stranger, 'attach', await request([own.address, foreign.address]));
    assert.deepEqual(error.map(String).map((text) => text.toLowerCase()), ['noauthority', foreign.address, stranger.address.toLowerCase()]);
  });

  for (const name of ['DirtyOwner', 'ShortOwner', 'SilentOwner', 'RevertingOwner', 'BombOwner', 'EndlessOwner', 'WritingOwner']) {
    it(`is not fooled by ${name}`, async () => {
      const forged = await scene.make(name, [stranger.address]);
      assert.equal(await read('hasAuthority', [forged.address, stranger.address]), false);
      assert.equal((await refused(stranger, 'attach', await request([forged.address])))[0], 'NoAuthority');
    });
  }

  it('takes the first word of a long answer', async () => {
    const long = await scene.make('LongOwner', [stranger.address]);
    assert.equal(await read('hasAuthority', [long.address, stranger.address]), true);
  });

  it('gives nobody authority over accounts without code, precompiles, itself, or by the zero address', async () => {
    const [hasher, echo] = ['0x02', '0x04'].map((precompile) => padHex(precompile, { size: 20 }));
    for (const ownerless of [zeroAddress, hasher, echo, REGISTRY_ADDRESS, account(8).address]) {
      assert.equal(await read('hasAuthority', [ownerless, stranger.address]), false, ownerless);
      assert.equal(await read('hasAuthority', [ownerless, zeroAddress]), false, ownerless);
    }
    const renounced = await ownedBy(zeroAddress);
    assert.equal(await read('hasAuthority', [renounced.address, zeroAddress]), false);
  });

  it('refuses what is out of bounds', async () => {
    const self = [stranger.address];
    const bad = async (accounts, changes) => refused(stranger, 'attach', await request(accounts, changes));
    assert.deepEqual(await bad(self, { module: padHex('0x01') }), ['UnknownModule', padHex('0x01')]);
    assert.deepEqual(await bad(self, { mode: 0 }), ['ModeMissing']);
    assert.deepEqual(await bad(self, { fuelMax: 100_000_001n }), ['FuelTooLarge', 100_000_001n, 100_000_000n]);
    assert.deepEqual(await bad(self, { configuration: bytesOf(1, 4_097) }), ['ConfigurationTooLarge', 4097n, 4096n]);
    assert.deepEqual(await bad([]), ['AccountCountOutOfRange', 0n, 64n]);
    assert.deepEqual(await bad(Array(65).fill(stranger.address)), ['AccountCountOutOfRange', 65n, 64n]);
    assert.deepEqual(await bad([stranger.address, stranger.address]), ['DuplicateAccount', stranger.address]);
    await assert.rejects(act(stranger, 'attach', await request(self, { mode: 3 })));
  });

  it('takes 64 accounts with the largest configuration, and detaches them', async () => {
    const vaults = [];
    for (let i = 0; i < 64; i++) vaults.push((await ownedBy(deployer.address)).address);
    const attached = await act(deployer, 'attach', await request(vaults, { configuration: bytesOf(1, 4_096), fuelMax: 100_000_000n }));
    const detached = await act(deployer, 'detach', attached.result);
    assert.deepEqual(await read('attachmentsOf', [vaults[63]]), []);
  });

  it('lets an account have 16 attachments and no more', async () => {
    const vault = await ownedBy(deployer.address);
    const ids = [];
    for (let i = 0; i < 16; i++) ids.push(await attach(deployer, [vault.address]));
    assert.equal((await refused(deployer, 'attach', await request([vault.address])))[0], 'AttachmentsOfAccountFull');
    for (const id of [ids[3], ids[15], ids[0]]) await act(deployer, 'detach', id);
    const left = await read('attachmentsOf', [vault.address]);
    assert.deepEqual([...left].sort(), ids.filter((_, i) => ![3, 15, 0].includes(i)).sort());
  });
});

describe('changes', () => {
  it('follow the present owner, not the one at attachment', async () => {
    const vault = await ownedBy(deployer.address);
    const id = await attach(deployer, [vault.address]);
    await mined(vault.write.setOwner([stranger.address]));
    for (const change of [['setMode', id, ENFORCE], ['setConfiguration', id, '0x01'], ['detach', id]]) {
      assert.equal((await refused(deployer, ...change))[0], 'NoAuthority');
    }
    assert.equal((await refused(stranger, 'setMode', id, ENFORCE))[0], 'AuthorityNotConfirmed');
    await act(stranger, 'confirmAuthority', vault.address);
    await act(stranger, 'setMode', id, ENFORCE);
    await act(stranger, 'setConfiguration', id, '0x01');
    const stored = await read('attachment', [id]);
    assert.deepEqual([stored.mode, stored.configuration], [ENFORCE, '0x01']);
    await act(stranger, 'detach', id);
    assert.deepEqual(await refused(stranger, 'detach', id), ['UnknownAttachment', id]);
  });

  it('need authority over every account', async () => {
    const vaults = [await ownedBy(deployer.address), await ownedBy(deployer.address)];
    const id = await attach(deployer, vaults.map((vault) => vault.address));
    await mined(vaults[1].write.setOwner([stranger.address]));
    assert.equal((await refused(deployer, 'detach', id))[0], 'NoAuthority');
    assert.equal((await refused(stranger, 'detach', id))[0], 'NoAuthority');
  });

  it('cannot be made from within owner()', async () => {
    const vault = await scene.make('ReentrantOwner', [deployer.address]);
    const id = await attach(deployer, [vault.address], { configuration: '0x01' });
    await mined(vault.write.setTarget([id]));
    const receipt = await act(deployer, 'setMode', id, ENFORCE);
    const stored = await read('attachment', [id]);
    assert.deepEqual([stored.mode, stored.configuration], [ENFORCE, '0x01']);
  });

  it('belong to the guardian only where they pause', async () => {
    const id = await attach(deployer, [deployer.address]);
    for (const from of [deployer, stranger]) {
      assert.deepEqual(await refused(from, 'pause', id), ['NotGuardian', from.address]);
      assert.deepEqual(await refused(from, 'proposeGuardian', from.address), ['NotGuardian', from.address]);
    }
    assert.deepEqual(await refused(stranger, 'unpause', id), ['NoAuthority', deployer.address, stranger.address]);
    await act(guardian, 'pause', id);
    assert.equal((await read('attachment', [id])).paused, true);
    for (const change of [['setMode', id, ENFORCE], ['setConfiguration', id, '0x01'], ['detach', id]]) {
      assert.equal((await refused(guardian, ...change))[0], 'NoAuthority');
    }
    assert.equal((await refused(guardian, 'attach', await request([deployer.address])))[0], 'NoAuthority');
    await act(guardian, 'unpause', id);
    assert.equal((await read('attachment', [id])).paused, false);
    assert.deepEqual(await refused(guardian, 'pause', padHex('0x01')), ['UnknownAttachment', padHex('0x01')]);
    await act(deployer, 'detach', id);
  });

  it('of the guardian hand the office over', async () => {
    const head = await read('head');
    const handOver = async (from, to) => {
      await act(from, 'proposeGuardian', to.address);
      assert.deepEqual([await read('guardian'), await read('proposedGuardian')], [guardian.address, to.address]);
      assert.deepEqual(await refused(deployer, 'acceptGuardian'), ['NotProposed', deployer.address]);
    };
    await handOver(guardian, stranger);
    await act(stranger, 'acceptGuardian');
    assert.deepEqual([await read('guardian'), await read('proposedGuardian')], [stranger.address, zeroAddress]);
    assert.deepEqual(await refused(guardian, 'proposeGuardian', guardian.address), ['NotGuardian', guardian.address]);
    await act(governance, 'proposeGuardian', guardian.address);
    await act(guardian, 'acceptGuardian');
    assert.equal(await read('guardian'), guardian.address);
    assert.equal(await read('head'), head);
  });

  it('move the head, each to a new value, and only where something changed', async () => {
    const seen = new Set([await read('head')]);
    const moves = async (from, ...call) => {
      await act(from, ...call);
      const head = await read('head');
      assert(!seen.has(head), call[0]);
      seen.add(head);
    };
    const stays = async (from, ...call) => {
      const head = await read('head');
      const receipt = await act(from, ...call);
      assert.deepEqual([await read('head'), receipt.logs.length], [head, 0]);
    };
    const { module } = await upload(deployer, bytesOf(11, 100));
    await moves(deployer, 'registerModule', module);
    await moves(deployer, 'attach', await request([deployer.address], { module }));
    const [id] = await read('attachmentsOf', [deployer.address]);
    await moves(deployer, 'setMode', id, ENFORCE);
    await stays(deployer, 'setMode', id, ENFORCE);
    await moves(deployer, 'setConfiguration', id, '0x77');
    await stays(deployer, 'setConfiguration', id, '0x77');
    await moves(guardian, 'pause', id);
    await stays(guardian, 'pause', id);
    await moves(guardian, 'unpause', id);
    await stays(guardian, 'unpause', id);
    await moves(deployer, 'detach', id);
    assert.deepEqual(await refused(deployer, 'setMode', id, 0), ['ModeMissing']);
  });
});

describe('the whole chain', () => {
  const attachChainWide = async (from, accounts = []) =>
    (await act(from, 'attachChainWide', await request(accounts))).result;

  it('is guarded by governance alone', async () => {
    const wanted = await request([]);
    for (const who of [deployer, guardian, stranger]) {
      assert.deepEqual(await refused(who, 'attachChainWide', wanted), ['NotGovernance', who.address]);
    }
    assert.deepEqual(await refused(governance, 'attach', wanted), ['AccountCountOutOfRange', 0n, 64n]);
    const narrow = await request([governance.address]);
    assert.deepEqual(await refused(governance, 'attachChainWide', narrow), ['AccountCountOutOfRange', 1n, 0n]);
    const id = await attachChainWide(governance);
    assert.deepEqual((await read('attachment', [id])).accounts, []);
    assert.deepEqual(await read('attachmentsOf', [zeroAddress]), [id]);
    for (const who of [deployer, guardian, stranger]) {
      assert.deepEqual(await refused(who, 'setMode', id, ENFORCE), ['NotGovernance', who.address]);
      assert.deepEqual(await refused(who, 'setConfiguration', id, '0x01'), ['NotGovernance', who.address]);
      assert.deepEqual(await refused(who, 'detach', id), ['NotGovernance', who.address]);
    }
    await act(governance, 'setMode', id, ENFORCE);
    await act(guardian, 'pause', id);
    await act(governance, 'detach', id);
    assert.deepEqual(await read('attachmentsOf', [zeroAddress]), []);
    assert.deepEqual(await refused(governance, 'detach', id), ['UnknownAttachment', id]);
  });

  it('has at most 16 attachments, and detaching makes room', async () => {
    const ids = [];
    for (let count = 0; count < 16; count++) ids.push(await attachChainWide(governance));
    const full = await refused(governance, 'attachChainWide', await request([]));
    assert.deepEqual(full, ['AttachmentsOfAccountFull', zeroAddress, 16n]);
    for (const id of ids) await act(governance, 'detach', id);
    assert.deepEqual(await read('attachmentsOf', [zeroAddress]), []);
  });

  it('gives nobody a way in through the zero address', async () => {
    for (const who of [deployer, governance]) {
      assert.deepEqual(await refused(who, 'attach', await request([zeroAddress])), ['NoAuthority', zeroAddress, who.address]);
    }
  });

  it('has a governance that can be handed on, not dropped', async () => {
    assert.equal(await read('governance'), governance.address);
    assert.deepEqual(await refused(stranger, 'proposeGovernance', stranger.address), ['NotGovernance', stranger.address]);
    await act(governance, 'proposeGovernance', stranger.address);
    assert.deepEqual(await refused(deployer, 'acceptGovernance'), ['NotProposed', deployer.address]);
    assert.equal(await read('governance'), governance.address);
    const [event] = parseEventLogs({ abi: chain.registry.abi, logs: (await act(stranger, 'acceptGovernance')).logs });
    assert.deepEqual(event.args, { previous: governance.address, current: stranger.address });
    await act(stranger, 'proposeGovernance', governance.address);
    await act(governance, 'acceptGovernance');
  });
});

describe('the whole', () => {
  it('pages through ids', async () => {
    const count = await read('attachmentCount');
    const all = await read('attachments', [0n, 1_000n]);
    assert.equal(BigInt(all.length), count);
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(await read('attachments', [1n, 2n]), all.slice(1, 3));
    assert.deepEqual(await read('attachments', [count, 5n]), []);
    assert.deepEqual(await read('attachments', [count - 1n, 2n ** 256n - 1n]), all.slice(-1));
    assert.equal(BigInt((await read('modules', [0n, 1_000n])).length), await read('moduleCount'));
    for (const id of all) assert.equal((await read('attachment', [id])).id, id);
  });

  it('takes no ether', async () => {
    await assert.rejects(chain.client.sendTransaction({ to: REGISTRY_ADDRESS, value: 1n }));
    assert(registryArtifact.abi.every((item) => item.stateMutability !== 'payable'));
  });

  it('has the storage layout that the node reads', async () => {
    const vault = await ownedBy(deployer.address);
    const id = await attach(deployer, [vault.address], {
      mode: ENFORCE, failure: 1, priority: 0x01020304, fuelMax: 5n, configuration: '0xaabb', manager: stranger.address,
      demotionShare: 0x1234, triggers: 0x80000001, escapes: Array.from({ length: 9 }, (_, i) => toHex(0x01020300 + i, { size: 4 })),
    });
    await act(deployer, 'setDelay', id, 0x00010203);
    const base = BigInt(keccak256(concatHex([id, padHex('0x03')])));
    assert.equal(await slot(chain, 0), await read('head'));
    assert.equal(BigInt(await slot(chain, 1)), BigInt(guardian.address));
    assert.equal(BigInt(await slot(chain, 2)), await read('attachmentCount'));
    assert.equal(await slot(chain, toHex(base)), await aModule());
    const standing = await slot(chain, toHex(base + 1n));
    assert.equal(standing, `0x00${'00000000'}${'00010203'}000002${stranger.address.slice(2).toLowerCase()}`);
    const terms = await slot(chain, toHex(base + 2n));
    assert.equal(terms, `0x${'0'.repeat(26)}80000001${'1234'}${'0000000000000005'}${'01020304'}01`);
    assert.equal(BigInt(await slot(chain, toHex(base + 3n))), 9n);
    const escapes = BigInt(keccak256(toHex(base + 3n, { size: 32 })));
    assert.equal(await slot(chain, toHex(escapes)), `0x${[7, 6, 5, 4, 3, 2, 1, 0].map((i) => `0102030${i}`).join('')}`);
    assert.equal(await slot(chain, toHex(escapes + 1n)), padHex('0x01020308'));
    const { attachedAt } = await read('attachment', [id]);
    assert.equal(BigInt(await slot(chain, toHex(base + 4n))), attachedAt << 160n);
    assert.equal(BigInt(await slot(chain, toHex(base + 5n))), 1n);
    assert.equal(await slot(chain, keccak256(toHex(base + 5n, { size: 32 }))), padHex(vault.address));
    assert.equal(await slot(chain, toHex(base + 6n)), `0xaabb${'0'.repeat(58)}04`);
    const ofAccount = keccak256(concatHex([padHex(vault.address), padHex('0x04')]));
    assert.equal(await slot(chain, keccak256(ofAccount)), id);
    const module = BigInt(keccak256(concatHex([await aModule(), padHex('0x06')])));
    const info = await read('moduleInfo', [await aModule()]);
    const word = BigInt(await slot(chain, toHex(module)));
    assert.deepEqual([word & (2n ** 160n - 1n), (word >> 160n) & 0xffffffffn, word >> 192n], [BigInt(info.uploader), 1_000n, info.registeredAt]);
    const positions = registryArtifact.storageLayout.storage.map(({ slot: at, label }) => `${at} ${label}`);
    assert.deepEqual(positions, [
      '0 head', '1 guardian', '2 attachmentIds', '3 attachmentById', '4 idsByAccount', '5 moduleHashes', '6 moduleByHash',
      '7 uploads', '8 attachmentNonce', '9 attachmentPositions', '10 governance', '11 proposedGuardian',
      '12 proposedGovernance', '13 minimum', '14 confirmedAuthority', '15 deployerOf', '16 changeKeys', '17 changeByKey',
    ]);
  });
});
