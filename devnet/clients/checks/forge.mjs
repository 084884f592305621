// forge script with a broadcast, from Foundry.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { viemClient } from '../clients.mjs';
import { ONE_ETHER, Skip, account, artifact, foundry, here, run, succeed } from '../context.mjs';

const FORGE = foundry('forge');

async function broadcast({ rpcUrl, chainId }, folder) {
  const { privateKey } = account(0);
  const flags = ['--root', here('forge'), '--use', here('forge/solc.mjs'), '--out', path.join(folder, 'out')];
  const cache = path.join(folder, 'cache');
  const env = { FOUNDRY_CACHE_PATH: cache, FOUNDRY_BROADCAST: path.join(folder, 'broadcast') };
  await succeed(
    FORGE,
    ['script', 'script/DeployVault.s.sol', ...flags, '--rpc-url', rpcUrl, '--private-key', privateKey, '--broadcast'],
    { cwd: here('forge'), env },
  );
  return JSON.parse(await readFile(path.join(folder, `broadcast/DeployVault.s.sol/${chainId}/run-latest.json`), 'utf8'));
}

export default {
  async 'script deploys a vault and deposits'(context) {
    const { code, stderr } = await run(FORGE, ['--version']);
    if (code !== 0) throw new Skip(`forge cannot run here: ${stderr}`);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'parapet-forge-'));
    try {
      const { receipts } = await broadcast(context, folder);
      assert.deepEqual(receipts.map((receipt) => receipt.status), ['0x1', '0x1']);
      const address = receipts[0].contractAddress;
      const { client } = viemClient(context);
      assert.equal(await client.getCode({ address }), artifact('reentrancy', 'Vault').deployedBytecode);
      assert.equal(await client.getBalance({ address }), ONE_ETHER);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
