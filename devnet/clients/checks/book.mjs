// The book's commands: every one on a page, as it stands, one after the other.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CAST, fundedVault } from '../clients.mjs';
import { Skip, here, run } from '../context.mjs';

const REPOSITORY = here('../..');
/** A first guard is compiled, twice, with all that it stands on. */
const PAGE_MS_MAX = 600_000;
const page = (name) => path.join(REPOSITORY, 'docs/book/src', name);

/** A page's blocks as one script, at least so many of them. Of a block that is marked `refused` the command must fail. */
function script(name, blocksMin) {
  const blocks = [...readFileSync(page(name), 'utf8').matchAll(/^```bash( refused)?\n(.*?)^```$/gms)];
  assert(blocks.length >= blocksMin, `only ${blocks.length} blocks were found on ${name}`);
  const parts = blocks.map(([, refused, code]) =>
    refused ? `if (\n${code}) > /dev/null 2>&1; then echo "this was to be refused: ${code.trim()}" >&2; exit 1; fi` : code,
  );
  return ['set -euo pipefail', ...parts].join('\n');
}

/** Runs a page's commands in the project's folder; what they write goes to a folder of its own. */
async function follow(context, name, blocksMin, variables = {}) {
  if (!context.parapet) throw new Skip('--parapet was not given');
  const folder = mkdtempSync(path.join(tmpdir(), 'parapet-book-'));
  const tools = [path.dirname(path.resolve(context.parapet)), ...(existsSync(CAST) ? [path.dirname(CAST)] : [])];
  const PATH = [...tools, process.env.PATH].join(':');
  const CARGO_TARGET_DIR = path.join(folder, 'target');
  const env = { ETH_RPC_URL: context.rpcUrl, REPOSITORY, TMPDIR: folder, CARGO_TARGET_DIR, PATH, ...variables };
  try {
    const { code, stderr } = await run('bash', ['-c', script(name, blocksMin)], { cwd: REPOSITORY, env, msMax: PAGE_MS_MAX });
    assert.equal(code, 0, stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export default {
  async 'every command of the page on a first guard'(context) {
    await follow(context, 'first-guard.md', 6);
  },

  async 'every command of the page on a guard’s life'(context) {
    const { address } = await fundedVault(context);
    await follow(context, 'life.md', 15, { VAULT: address });
  },
};
