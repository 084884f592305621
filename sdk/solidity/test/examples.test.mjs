import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseEther, parseEventLogs } from 'viem';
import { account, artifact, deploy, startChain, receiptOf } from './chain.mjs';

const deployer = account(0);
const stranger = account(1);

let chain;
before(async () => { chain = await startChain({ guardian: account(9).address, governance: account(8).address }); });
after(() => chain.stop());

const mined = async (hash) => receiptOf(chain.client, await hash);
const balance = ({ address }) => chain.client.getBalance({ address });

describe('reentrancy, with no guard', () => {
  const [vaultArtifact, attackerArtifact, fromConstructor] = ['Vault', 'Attacker', 'AttackerFromConstructor'].map(
    (name) => artifact(`examples/reentrancy/artifacts/${name}.json`),
  );

  async function fundedVault() {
    const vault = await deploy(chain, vaultArtifact);
    await mined(vault.write.deposit({ value: parseEther('10') }));
    return vault;
  }

  it('an honest withdrawal pays the balance, once', async () => {
    const vault = await fundedVault();
    await mined(vault.write.deposit({ account: stranger, value: parseEther('2') }));
    const receipt = await mined(vault.write.withdraw({ account: stranger }));
    const [event] = parseEventLogs({ abi: vault.abi, logs: receipt.logs });
    assert.deepEqual(event.args, { account: stranger.address, amount: parseEther('2') });
    assert.equal(await balance(vault), parseEther('10'));
    await assert.rejects(vault.simulate.withdraw({ account: stranger }), /NothingToWithdraw/);
  });

  for (const name of ['attack', 'attackQuietly']) {
    it(`${name} drains the vault`, async () => {
      const vault = await fundedVault();
      const attacker = await deploy(chain, attackerArtifact, [vault.address]);
      const receipt = await mined(attacker.write[name]({ value: parseEther('1') }));
      assert.equal(receipt.status, 'success');
      assert.equal(await balance(vault), 0n);
      assert.equal(await attacker.read.loot(), parseEther('11'));
      console.log(`gas: ${name} in 11 rounds ${receipt.gasUsed}`);
    });
  }

  it('the longest attack fits the gas that attackQuietly demands', async () => {
    const vault = await fundedVault();
    const attacker = await deploy(chain, attackerArtifact, [vault.address]);
    const receipt = await mined(attacker.write.attackQuietly({ value: parseEther('0.1') }));
    assert.equal(await attacker.read.loot(), parseEther('3.2'));
    console.log(`gas: attackQuietly in 32 rounds ${receipt.gasUsed}`);
  });

  it('an attack that reverts is hidden by attackQuietly', async () => {
    const vault = await fundedVault();
    const attacker = await deploy(chain, attackerArtifact, [vault.address]);
    const receipt = await mined(attacker.write.attackQuietly({ value: 0n }));
    assert.equal(receipt.status, 'success');
    assert.equal(parseEventLogs({ abi: attacker.abi, logs: receipt.logs })[0].eventName, 'AttackSwallowed');
  });

  it('the attack from a constructor drains the vault', async () => {
    const vault = await fundedVault();
    const attacker = await deploy(chain, fromConstructor, [vault.address], parseEther('1'));
    assert.equal(await balance(vault), 0n);
    assert.equal(await attacker.read.loot(), parseEther('11'));
  });
});

describe('outflow, with no guard', () => {
  const [tokenArtifact, treasuryArtifact] = ['Token', 'Treasury'].map((name) => artifact(`examples/outflow/artifacts/${name}.json`));

  async function fundedTreasury() {
    const token = await deploy(chain, tokenArtifact, [1_000n]);
    const treasury = await deploy(chain, treasuryArtifact, [], parseEther('5'));
    await mined(token.write.transfer([treasury.address, 900n]));
    return { token, treasury };
  }

  it('a stranger pays itself everything', async () => {
    const { token, treasury } = await fundedTreasury();
    await mined(treasury.write.payToken([token.address, stranger.address, 900n], { account: stranger }));
    await mined(treasury.write.payEther([stranger.address, parseEther('5')], { account: stranger }));
    assert.equal(await token.read.balanceOf([stranger.address]), 900n);
    assert.equal(await balance(treasury), 0n);
  });

  it('an approved spender takes tokens without the treasury running', async () => {
    const { token, treasury } = await fundedTreasury();
    const approval = [token.address, stranger.address, 300n];
    await assert.rejects(treasury.simulate.approveSpender(approval, { account: stranger }), /NotOwner/);
    await mined(treasury.write.approveSpender(approval, { account: deployer }));
    await mined(token.write.transferFrom([treasury.address, stranger.address, 300n], { account: stranger }));
    assert.equal(await token.read.balanceOf([treasury.address]), 600n);
    await assert.rejects(
      token.simulate.transferFrom([treasury.address, stranger.address, 1n], { account: stranger }), /AllowanceTooLow/,
    );
  });
});
