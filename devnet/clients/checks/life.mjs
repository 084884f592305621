// The page on a guard's life: every command on it, as it stands, one after the other.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CAST, fundedVault } from '../clients.mjs';
import { Skip, here, run } from '../context.mjs';

const REPOSITORY = here('../..');
const PAGE = path.join(REPOSITORY, 'docs/book/src/life.md');
const SECTIONS_MIN = 15;

/** The page's blocks as one script. Of a block that is marked `refused` the command must fail. */
function script(page) {
  const blocks = [...page.matchAll(/^```bash( refused)?\n(.*?)^```$/gms)];
  assert(blocks.length >= SECTIONS_MIN, `only ${blocks.length} blocks were found`);
  const parts = blocks.map(([, refused, code]) =>
    refused ? `if (\n${code}) > /dev/null 2>&1; then echo "this was to be refused: ${code.trim()}" >&2; exit 1; fi` : code,
  );
  return ['set -euo pipefail', ...parts].join('\n');
}

export default {
  async 'every command of the page on a guard’s life'(context) {
    if (!context.parapet) throw new Skip('--parapet was not given');
    const vault = await fundedVault(context);
    const tools = existsSync(CAST) ? `${path.dirname(CAST)}:` : '';
    const env = { ETH_RPC_URL: context.rpcUrl, VAULT: vault.address, PATH: tools + process.env.PATH };
    const { code, stderr } = await run('bash', ['-c', script(readFileSync(PAGE, 'utf8'))], { cwd: REPOSITORY, env });
    assert.equal(code, 0, stderr);
  },
};
