// Runs forge's tests of the registry, with forge from its package or else from the path. Where there is none, it says so.
//
//   node forge/run.mjs [options of `forge test`]
//   FOUNDRY_PROFILE=long node forge/run.mjs     tries more than CI does

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const packaged = here('../node_modules/@foundry-rs/forge-linux-amd64/bin/forge');
const forge = existsSync(packaged) ? packaged : 'forge';

if (spawnSync(forge, ['--version']).status !== 0) {
  console.log('forge cannot run here: the registry is not fuzzed');
} else {
  const options = ['test', '--root', here('..'), '--use', here('solc.mjs'), ...process.argv.slice(2)];
  const { status } = spawnSync(forge, options, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
