// A guarded vault: what clients that never heard of guards see of a veto, and of its absence.

import assert from 'node:assert/strict';
import { Interface, isError } from 'ethers';
import { decodeErrorResult, encodeFunctionData, getContract, isAddressEqual, parseAbi, toFunctionSelector, toHex } from 'viem';
import { CAST, cast, castSend, ethersClient, fundedVault, viemClient } from '../clients.mjs';
import { ONE_ETHER, Skip, account, artifact, registryArtifact, rpc, run, succeed } from '../context.mjs';

const REGISTRY_ADDRESS = '0x5061726170657400000000000000000000000001';
const VETO = 'error GuardVeto(address guard, bytes32 attachment, uint16 code, bytes detail)';
const vetoAbi = parseAbi([VETO]);
const vetoInterface = new Interface([VETO]);
const VETO_SELECTOR = toFunctionSelector('GuardVeto(address,bytes32,uint16,bytes)');
const GAS = 3_000_000n;
const OWNER = 0;
const THIEF = 1;

/** An artefact whose ABI also has the veto, as a wallet's would that wants to show it. */
function withVeto(name) {
  const compiled = artifact('reentrancy', name);
  return { ...compiled, abi: [...compiled.abi, ...vetoAbi] };
}
const attackerArtifact = withVeto('Attacker');
const fromConstructor = withVeto('AttackerFromConstructor');

/** Deploys a vault with ten ether and attaches the guard to it by the command line that users have. */
async function guardedVault(context) {
  if (!context.parapet) throw new Skip('--parapet was not given');
  const vault = await fundedVault(context);
  const common = ['--rpc-url', context.rpcUrl, '--private-key', account(OWNER).privateKey, '--json'];
  await succeed(context.parapet, ['guard', 'deploy', 'reentrancy', ...common]);
  await succeed(context.parapet, ['guard', 'attach', 'reentrancy', '--account', vault.address, '--mode', 'enforce', ...common]);
  const { client } = viemClient(context);
  const registry = getContract({ address: REGISTRY_ADDRESS, abi: registryArtifact.abi, client });
  const ids = await registry.read.attachmentsOf([vault.address]);
  assert.equal(ids.length, 1);
  const untouched = async () => assert.equal(await client.getBalance({ address: vault.address }), 10n * ONE_ETHER);
  return { vault, attachment: ids[0], untouched };
}

function assertVeto(data, attachment) {
  const { errorName, args } = decodeErrorResult({ abi: vetoAbi, data });
  assert.deepEqual([errorName, args[1]], ['GuardVeto', attachment]);
}

const thrownBy = (promise) => promise.then(() => assert.fail('it succeeded'), (error) => error);

function assertViemVeto(error, attachment) {
  const revert = error.walk((cause) => cause.data?.errorName);
  assert(revert, error.message);
  assert.deepEqual([revert.data.errorName, revert.data.args[1]], ['GuardVeto', attachment]);
}

// ethers decodes for calls; for estimates it hands the data on.
function assertEthersVeto(error, attachment) {
  assert(isError(error, 'CALL_EXCEPTION'), error.message);
  const revert = error.revert ?? vetoInterface.parseError(error.data);
  assert.deepEqual([revert?.name, revert?.args.attachment], ['GuardVeto', attachment]);
}

export default {
  async 'eth_call and eth_estimateGas answer error 3 with the veto'(context) {
    const { vault, attachment, untouched } = await guardedVault(context);
    const { contract } = await viemClient(context, THIEF).deploy(attackerArtifact, [vault.address]);
    const data = encodeFunctionData({ abi: contract.abi, functionName: 'attack' });
    const call = { from: account(THIEF).address, to: contract.address, data, value: toHex(ONE_ETHER) };
    for (const [method, params] of [['eth_call', [call, 'latest']], ['eth_estimateGas', [call]]]) {
      const { error } = await rpc(context, method, params);
      assert.equal(error?.code, 3, `${method}: ${JSON.stringify(error)}`);
      assertVeto(error.data, attachment);
      assert.match(error.message, /guard|veto/i, method);
    }
    await untouched();
  },

  async 'viem decodes the veto'(context) {
    const { vault, attachment, untouched } = await guardedVault(context);
    const { contract } = await viemClient(context, THIEF).deploy(attackerArtifact, [vault.address]);
    for (const name of ['attack', 'attackQuietly']) {
      const call = [{ account: account(THIEF).signer, value: ONE_ETHER }];
      assertViemVeto(await thrownBy(contract.simulate[name](...call)), attachment);
      assertViemVeto(await thrownBy(contract.estimateGas[name](...call)), attachment);
      assertViemVeto(await thrownBy(contract.write[name]({ value: ONE_ETHER })), attachment);
    }
    await untouched();
  },

  async 'viem sees a failed receipt when it sends all the same'(context) {
    const { vault, untouched } = await guardedVault(context);
    const { client, mined, deploy } = viemClient(context, THIEF);
    const { contract } = await deploy(attackerArtifact, [vault.address]);
    for (const name of ['attack', 'attackQuietly']) {
      const nonce = await client.getTransactionCount({ address: account(THIEF).address });
      const receipt = await mined(contract.write[name]({ value: ONE_ETHER, gas: GAS }));
      assert.deepEqual([receipt.status, receipt.logs], ['reverted', []], name);
      assert.equal(await client.getTransactionCount({ address: account(THIEF).address }), nonce + 1);
      assert.equal(await contract.read.loot(), 0n);
    }
    await untouched();
  },

  async 'an attack from a constructor deploys nothing'(context) {
    const { vault, untouched } = await guardedVault(context);
    const { client, wallet, mined } = viemClient(context, THIEF);
    const { abi, bytecode } = fromConstructor;
    const receipt = await mined(wallet.deployContract({ abi, bytecode, args: [vault.address], value: ONE_ETHER, gas: GAS }));
    assert.equal(receipt.status, 'reverted');
    if (receipt.contractAddress) assert.equal(await client.getCode({ address: receipt.contractAddress }), undefined);
    await untouched();
  },

  async 'ethers decodes the veto and sees the failed receipt'(context) {
    const { vault, attachment, untouched } = await guardedVault(context);
    const attacker = await ethersClient(context, THIEF).deploy(attackerArtifact, [vault.address]);
    for (const name of ['attack', 'attackQuietly']) {
      assertEthersVeto(await thrownBy(attacker[name].staticCall({ value: ONE_ETHER })), attachment);
      assertEthersVeto(await thrownBy(attacker[name].estimateGas({ value: ONE_ETHER })), attachment);
      assertEthersVeto(await thrownBy(attacker[name]({ value: ONE_ETHER })), attachment);
      const sent = await attacker[name]({ value: ONE_ETHER, gasLimit: GAS });
      const error = await thrownBy(sent.wait());
      assert.equal(error.receipt?.status, 0, error.message);
    }
    await untouched();
  },

  async 'cast fails with the veto and sees the failed receipt'(context) {
    const { vault, attachment, untouched } = await guardedVault(context);
    const { contract } = await viemClient(context, THIEF).deploy(attackerArtifact, [vault.address]);
    const { privateKey } = account(THIEF);
    const args = ['--private-key', privateKey, contract.address, 'attack()', '--value', '1ether'];
    const { code, stderr } = await run(CAST, ['send', '--rpc-url', context.rpcUrl, ...args]);
    assert.notEqual(code, 0);
    const [data] = stderr.match(new RegExp(`${VETO_SELECTOR}[0-9a-f]{64,}`)) ?? [];
    assert(data, stderr);
    const decoded = await succeed(CAST, ['decode-error', '--sig', 'GuardVeto(address,bytes32,uint16,bytes)', data]);
    assert(decoded.includes(attachment), decoded);

    const hash = await cast(context, 'send', '--async', '--gas-limit', String(GAS), ...args);
    const receipt = JSON.parse(await cast(context, 'receipt', hash, '--json'));
    assert.equal(receipt.status, '0x0');
    await untouched();
  },

  async 'an honest withdrawal passes, by every client'(context) {
    const { vault, untouched } = await guardedVault(context);
    const { mined } = viemClient(context, OWNER);
    assert.equal((await mined(vault.write.withdraw())).status, 'success');
    await mined(vault.write.deposit({ value: 10n * ONE_ETHER }));

    const { wallet } = ethersClient(context, OWNER);
    const withdraw = encodeFunctionData({ abi: vault.abi, functionName: 'withdraw' });
    assert.equal((await (await wallet.sendTransaction({ to: vault.address, data: withdraw })).wait()).status, 1);

    const deposited = await castSend(context, OWNER, vault.address, 'deposit()', '--value', '10ether');
    assert(isAddressEqual(deposited.to, vault.address));
    await untouched();
    assert.equal((await castSend(context, OWNER, vault.address, 'withdraw()')).status, '0x1');
  },
};
