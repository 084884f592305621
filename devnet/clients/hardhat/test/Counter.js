// What a team's tests use of Hardhat: contracts by viem and by ethers, fixtures, time, impersonation, state that is set.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expect } from 'chai';
import { network } from 'hardhat';
import { getAddress } from 'viem';

const { viem, ethers, networkHelpers, provider } = await network.create();
const { time } = networkHelpers;
const ETHER = 10n ** 18n;

const deployed = async () => ({ counter: await viem.deployContract('Counter', [0n], { value: ETHER }) });

describe('Counter', () => {
  it('is deployed, stepped and read by viem', async () => {
    const { counter } = await networkHelpers.loadFixture(deployed);
    const client = await viem.getPublicClient();
    await counter.write.inc([5n]);
    assert.equal(await counter.read.x(), 5n);
    const events = await client.getContractEvents({ address: counter.address, abi: counter.abi, eventName: 'Increment', fromBlock: 0n, strict: true });
    assert.deepEqual(events.map((event) => event.args.by), [5n]);
    assert.equal(await client.getBalance({ address: counter.address }), ETHER);
  });

  it('is as it was after a fixture', async () => {
    const { counter } = await networkHelpers.loadFixture(deployed);
    assert.equal(await counter.read.x(), 0n);
  });

  it('is deployed and stepped by ethers, and tells why it reverts', async () => {
    const [, stranger] = await ethers.getSigners();
    const counter = await ethers.deployContract('Counter', [0n]);
    await (await counter.inc(7n)).wait();
    assert.equal(await counter.x(), 7n);
    const refused = expect(counter.connect(stranger).inc(1n)).to.be.revertedWithCustomError(counter, 'NotOwner');
    await refused.withArgs(stranger.address);
  });

  it('is deployed by viem, and tells why it reverts', async () => {
    const [, stranger] = await viem.getWalletClients();
    const counter = await viem.deployContract('Counter', [0n]);
    const refused = counter.write.inc([1n], { account: stranger.account });
    await viem.assertions.revertWithCustomErrorWithArgs(refused, counter, 'NotOwner', [getAddress(stranger.account.address)]);
  });

  it('waits for its time', async () => {
    const opens = BigInt(await time.latest()) + 10_000n;
    const counter = await viem.deployContract('Counter', [opens]);
    await viem.assertions.revertWith(counter.write.inc([1n]), 'too early');
    await time.increaseTo(opens);
    await counter.write.inc([1n]);
    assert.equal(await counter.read.x(), 1n);
  });

  it('is stepped by an impersonated owner that is a contract', async () => {
    const { counter } = await networkHelpers.loadFixture(deployed);
    await networkHelpers.impersonateAccount(counter.address);
    const owned = await viem.deployContract('Counter', [0n], { client: { wallet: await viem.getWalletClient(counter.address) } });
    assert.equal((await owned.read.owner()).toLowerCase(), counter.address.toLowerCase());
    await networkHelpers.stopImpersonatingAccount(counter.address);
  });

  it('stands on state that is set', async () => {
    const account = '0x7777777777777777777777777777777777777777';
    await networkHelpers.setBalance(account, ETHER);
    await networkHelpers.setNonce(account, 9);
    await networkHelpers.setCode(account, '0x6001');
    await networkHelpers.setStorageAt(account, 1, 5);
    const client = await viem.getPublicClient();
    assert.equal(await client.getBalance({ address: account }), ETHER);
    assert.equal(await client.getTransactionCount({ address: account }), 9);
    assert.equal(await client.getCode({ address: account }), '0x6001');
    assert.equal(BigInt(await networkHelpers.getStorageAt(account, 1)), 5n);
  });

  it('is mined in blocks as they are asked for', async () => {
    const before = await time.latestBlock();
    await networkHelpers.mine(10, { interval: 60 });
    assert.equal(await time.latestBlock(), before + 10);
    await networkHelpers.setNextBlockBaseFeePerGas(5_000_000_000n);
    await networkHelpers.setCoinbase('0x1111111111111111111111111111111111111111');
    await networkHelpers.setPrevRandao(42n);
    await networkHelpers.mine();
    const block = await provider.request({ method: 'eth_getBlockByNumber', params: ['latest', false] });
    assert.equal(BigInt(block.baseFeePerGas), 5_000_000_000n);
    assert.equal(block.miner, '0x1111111111111111111111111111111111111111');
    assert.equal(BigInt(block.mixHash), 42n);
  });

  it('goes back to snapshots', async () => {
    const snapshot = await networkHelpers.takeSnapshot();
    const before = await time.latestBlock();
    await networkHelpers.mine(3);
    await snapshot.restore();
    assert.equal(await time.latestBlock(), before);
  });
});
