// Who is taken for whom: each proof of authority, and each forgery of one.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encodeDeployData, encodeFunctionData, getContractAddress, keccak256, padHex, toHex, zeroAddress } from 'viem';
import { REGISTRY_ADDRESS, account, receiptOf, testContract } from './chain.mjs';
import { ENFORCE, abi, deployer, guardian, lower, startScene, stranger, thief } from './scene.mjs';

let scene;
before(async () => { scene = await startScene(); });
after(() => scene.stop());

const has = ({ address }, who) => scene.read('hasAuthority', [address, who.address]);
const cannotAttach = async (account, who) => {
  const error = await scene.refused(who, 'attach', await scene.request([account.address]));
  assert.deepEqual(lower(error), lower(['NoAuthority', account.address, who.address]));
};
const assertNobodys = async (contract) => {
  for (const who of [deployer, stranger, thief, guardian]) {
    assert.equal(await has(contract, who), false);
    await cannotAttach(contract, who);
  }
};
const registryCall = (functionName, args) => encodeFunctionData({ abi, functionName, args });

describe('a role', () => {
  it('of the default administrator gives authority, as long as it is held', async () => {
    const roles = await scene.make('Roles', [stranger.address]);
    assert.deepEqual([await has(roles, stranger), await has(roles, thief)], [true, false]);
    const id = await scene.attach(stranger, [roles.address]);
    await scene.mined(roles.write.set([stranger.address, false]));
    assert.deepEqual(lower(await scene.refused(stranger, 'detach', id)), lower(['NoAuthority', roles.address, stranger.address]));
    await scene.mined(roles.write.set([thief.address, true]));
    const frozen = await scene.refused(thief, 'setMode', id, ENFORCE);
    assert.deepEqual(lower(frozen), lower(['AuthorityNotConfirmed', roles.address]));
    await scene.mined(roles.write.set([stranger.address, true]));
    await scene.act(stranger, 'setMode', id, ENFORCE);
  });

  for (const name of ['RolesWithoutInterface', 'YesToAll', 'Echo', 'BurningRoles']) {
    it(`is not held in ${name}, whatever it answers`, async () => assertNobodys(await scene.make(name)));
  }
});

describe('an owner', () => {
  it('is not an amount that a function of the same selector answers', async () => {
    await assertNobodys(await scene.make('ClashingOwner', [stranger.address]));
  });

  it('who is whoever sends gives everybody a hand in that contract, and in no other', async () => {
    const [liar, vault] = [await scene.make('OriginOwner'), await scene.ownedBy(deployer.address)];
    await scene.attach(thief, [liar.address]);
    const error = await scene.refused(thief, 'attach', await scene.request([liar.address, vault.address]));
    assert.deepEqual(lower(error), lower(['NoAuthority', vault.address, thief.address]));
  });

  it('that is a contract is a sender like any other', async () => {
    const safe = await scene.make('Wallet');
    const vault = await scene.ownedBy(safe.address);
    await cannotAttach(vault, deployer);
    const call = registryCall('attach', [await scene.request([vault.address])]);
    await scene.mined(safe.write.execute([REGISTRY_ADDRESS, call]));
    const [attached] = await scene.guards(vault.address);
    await scene.mined(safe.write.execute([REGISTRY_ADDRESS, registryCall('detach', [attached.id])]));
    assert.deepEqual(await scene.guards(vault.address), []);
  });

  it('is not missing because the registry was given little gas', async () => {
    const vault = await scene.ownedBy(stranger.address);
    const { nonce } = await scene.client.getTransaction({ hash: (await scene.client.getBlock()).transactions[0] });
    await scene.act(deployer, 'proveDeployer', vault.address, BigInt(nonce));
    const data = registryCall('hasAuthority', [vault.address, deployer.address]);
    let refusals = 0;
    for (let gas = 30_000n; gas < 160_000n; gas += 2_500n) {
      const answer = scene.client.call({ to: REGISTRY_ADDRESS, data, gas }).catch(() => undefined);
      const word = (await answer)?.data;
      if (word === undefined) refusals++;
      else assert.equal(BigInt(word), 0n, `with ${gas} gas the deployer passes for the owner`);
    }
    assert(refusals > 0, 'no gas limit was too low');
  });
});

describe('a proxy', () => {
  const proxied = async () => {
    const implementation = await scene.make('Initializable');
    const { address } = await scene.make('Proxy', [implementation.address]);
    await scene.mined(scene.client.writeContract({ address, abi: implementation.abi, functionName: 'initialize', account: thief }));
    return { address, abi: implementation.abi };
  };

  it('with an admin is the admin’s, whoever its implementation says it belongs to', async () => {
    const proxy = await proxied();
    assert.equal(await has(proxy, thief), true, 'without an admin the code’s word counts');
    await scene.administer(proxy.address, stranger.address);
    assert.deepEqual([await has(proxy, thief), await has(proxy, stranger)], [false, true]);
    await cannotAttach(proxy, thief);
    await scene.attach(stranger, [proxy.address]);
  });

  it('is its ProxyAdmin’s owner’s', async () => {
    const proxy = await proxied();
    const admin = await scene.ownedBy(stranger.address);
    await scene.administer(proxy.address, admin.address);
    assert.deepEqual([await has(proxy, stranger), await has(proxy, thief), await has(proxy, admin)], [true, false, true]);
    const id = await scene.attach(stranger, [proxy.address]);
    await scene.mined(admin.write.setOwner([deployer.address]));
    assert.equal(await scene.read('isConfirmed', [proxy.address]), false);
    assert.equal((await scene.refused(stranger, 'detach', id))[0], 'NoAuthority');
    await scene.act(deployer, 'detach', id);
  });

  it('whose admin nobody owns is nobody’s', async () => {
    const proxy = await proxied();
    const admin = await scene.ownedBy(zeroAddress);
    await scene.administer(proxy.address, admin.address);
    await assertNobodys(proxy);
  });

  it('does not grant roles beside its admin', async () => {
    const roles = await scene.make('Roles', [thief.address]);
    await scene.administer(roles.address, stranger.address);
    assert.deepEqual([await has(roles, thief), await has(roles, stranger)], [false, true]);
  });

  it('is nobody’s where the node does not tell its admin', async () => {
    const vault = await scene.ownedBy(stranger.address);
    const address = '0x5061726170657400000000000000000000000002';
    const bytecode = await scene.client.getCode({ address });
    await scene.client.setCode({ address, bytecode: '0x' });
    assert.equal((await scene.refused(stranger, 'attach', await scene.request([vault.address])))[0], 'AdminUnreadable');
    await scene.client.setCode({ address, bytecode });
  });
});

describe('a deployer', () => {
  const nonceOf = async (who) => BigInt(await scene.client.getTransactionCount({ address: who.address }));
  const deployed = async (name, args) => {
    const nonce = await nonceOf(deployer);
    return { contract: await scene.make(name, args), nonce };
  };

  it('proves to be that by its nonce, and only it', async () => {
    const { contract, nonce } = await deployed('Ownerless');
    await assertNobodys(contract);
    for (const [who, claimed] of [[deployer, nonce + 1n], [deployer, 2n ** 64n - 1n], [thief, nonce]]) {
      const error = await scene.refused(who, 'proveDeployer', contract.address, claimed);
      assert.deepEqual(lower(error), lower(['NotDeployer', contract.address, who.address]));
    }
    await scene.act(deployer, 'proveDeployer', contract.address, nonce);
    assert.deepEqual([await has(contract, deployer), await has(contract, thief)], [true, false]);
    await scene.attach(deployer, [contract.address]);
  });

  it('has the address that CREATE gives, for a nonce of any length', async () => {
    for (const nonce of [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x100n, 0xffffn, 0x10000n, 2n ** 32n, 2n ** 63n + 5n, 2n ** 64n - 2n]) {
      const address = getContractAddress({ from: stranger.address, nonce });
      await scene.client.simulateContract({
        address: REGISTRY_ADDRESS, abi, functionName: 'proveDeployer', args: [address, nonce], account: stranger,
      });
    }
  });

  it('by CREATE2 is the factory, with its own salt and code', async () => {
    const factory = await scene.make('Wallet');
    const { abi: made, bytecode } = testContract('Ownerless');
    const code = encodeDeployData({ abi: made, bytecode });
    const salt = padHex('0x5a17');
    const address = getContractAddress({ opcode: 'CREATE2', from: factory.address, salt, bytecodeHash: keccak256(code) });
    await scene.mined(factory.write.create2([code, salt]));
    const prove = (given, hash) => registryCall('proveDeployer2', [address, given, hash]);
    for (const [given, hash] of [[padHex('0x5a18'), keccak256(code)], [salt, keccak256('0x00')]]) {
      await assert.rejects(factory.simulate.execute([REGISTRY_ADDRESS, prove(given, hash)]));
    }
    // Whoever reads the chain knows salt and hash, so they prove nothing of it.
    const error = await scene.refused(deployer, 'proveDeployer2', address, salt, keccak256(code));
    assert.deepEqual(lower(error), lower(['NotDeployer', address, deployer.address]));
    await scene.mined(factory.write.execute([REGISTRY_ADDRESS, prove(salt, keccak256(code))]));
    assert.deepEqual([await has({ address }, factory), await has({ address }, deployer)], [true, false]);
    const attach = registryCall('attach', [await scene.request([address])]);
    await scene.mined(factory.write.execute([REGISTRY_ADDRESS, attach]));
    assert.equal((await scene.guards(address)).length, 1);
  });

  for (const [name, args] of [
    ['Owned', [stranger.address]], ['Owned', [zeroAddress]], ['Roles', [stranger.address]], ['EndlessOwner', [stranger.address]],
    ['BombOwner', [stranger.address]], ['DirtyOwner', [stranger.address]], ['YesToAll'], ['BurningRoles'],
  ]) {
    it(`does not come before what ${name} is, given ${args ?? 'nothing'}`, async () => {
      const { contract, nonce } = await deployed(name, args);
      await scene.act(deployer, 'proveDeployer', contract.address, nonce);
      assert.equal(await has(contract, deployer), false);
    });
  }

  it('does not come before an owner who takes more gas to find than is granted', async () => {
    const hungry = await scene.make('HungryOwner', [stranger.address]);
    const { contract, nonce } = await deployed('Proxy', [hungry.address]);
    await scene.act(deployer, 'proveDeployer', contract.address, nonce);
    assert.equal(await has(contract, deployer), false);
  });

  it('loses authority to an admin', async () => {
    const { contract, nonce } = await deployed('Ownerless');
    await scene.act(deployer, 'proveDeployer', contract.address, nonce);
    await scene.administer(contract.address, stranger.address);
    assert.deepEqual([await has(contract, deployer), await has(contract, stranger)], [false, true]);
  });

  it('has none over what is not there yet', async () => {
    const nonce = (await nonceOf(deployer)) + 5n;
    const address = getContractAddress({ from: deployer.address, nonce });
    await scene.act(deployer, 'proveDeployer', address, nonce);
    assert.equal(await has({ address }, deployer), false);
  });
});

describe('an account that delegates (EIP-7702)', () => {
  const delegate = async (who, to) => {
    const authorization = await scene.client.signAuthorization({ account: who, contractAddress: to, executor: 'self' });
    const hash = await scene.client.sendTransaction({ account: who, to: who.address, authorizationList: [authorization] });
    await receiptOf(scene.client, hash);
    assert.equal((await scene.client.getCode({ address: who.address })).slice(0, 8), '0xef0100');
  };
  const [named, batching] = [account(4), account(5)];

  it('belongs to its key alone, whomever the code that speaks for it names', async () => {
    const code = await scene.make('DelegatedOwner', [thief.address]);
    await delegate(named, code.address);
    const answer = await scene.client.readContract({ address: named.address, abi: code.abi, functionName: 'owner' });
    assert.equal(answer, thief.address);
    assert.deepEqual([await has(named, thief), await has(named, named)], [false, true]);
    await cannotAttach(named, thief);
    await scene.attach(named, [named.address]);
  });

  it('acts for itself through that code, and owns like any other', async () => {
    const wallet = await scene.make('Wallet');
    await delegate(batching, wallet.address);
    const vault = await scene.ownedBy(batching.address);
    const call = registryCall('attach', [await scene.request([batching.address, vault.address])]);
    await scene.mined(scene.client.writeContract({
      address: batching.address, abi: wallet.abi, functionName: 'execute', args: [REGISTRY_ADDRESS, call], account: batching,
    }));
    assert.equal((await scene.guards(vault.address)).length, 1);
  });
});

describe('re-entry', () => {
  it('finds every door closed', async () => {
    const vault = await scene.make('ReentrantEverywhere', [deployer.address]);
    const id = await scene.attach(deployer, [vault.address], { mode: ENFORCE });
    await scene.mined(vault.write.setTarget([id]));
    const before = await scene.read('attachment', [id]);
    await scene.act(deployer, 'setConfiguration', id, '0x99');
    const stored = await scene.read('attachment', [id]);
    assert.deepEqual(stored, { ...before, configuration: '0x99', revision: before.revision + 1 });
  });
});

describe('self-attachment during construction', () => {
  it('is the contract’s own, and its owner confirms it later', async () => {
    const vault = await scene.make('SelfGuardedWithEscape', [await scene.aModule()]);
    const id = await vault.read.attachment();
    const stored = await scene.read('attachment', [id]);
    assert.deepEqual(stored.terms.escapes, [keccak256(toHex('rescue()')).slice(0, 10)]);
    assert.deepEqual(lower(await scene.refused(deployer, 'setMode', id, ENFORCE)), ['AuthorityNotConfirmed', vault.address]);
    await scene.act(deployer, 'confirmAuthority', vault.address);
    await scene.act(deployer, 'setMode', id, ENFORCE);
  });

  it('waits for the delay that it declares', async () => {
    const vault = await scene.make('SelfGuardedSlowly', [await scene.aModule(), stranger.address]);
    const id = await vault.read.attachment();
    assert.deepEqual(await scene.guards(vault.address), []);
    const change = await scene.read('pendingChange', [id, 0]);
    assert.equal(change.proposer.toLowerCase(), vault.address);
  });
});
