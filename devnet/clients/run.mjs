// Runs every check against one node and reports. Checks know nothing of each other; each has a bounded time.

import { parseArgs } from 'node:util';
import { Skip, createContext } from './context.mjs';
import cast from './checks/cast.mjs';
import ethers from './checks/ethers.mjs';
import forge from './checks/forge.mjs';
import guarded from './checks/guarded.mjs';
import book from './checks/book.mjs';
import viem from './checks/viem.mjs';

const GROUPS = { viem, ethers, cast, forge, guarded, book };
const CHECK_MS_MAX = 120_000;

const USAGE = `usage: node run.mjs --rpc-url URL [--ws-url URL] [--parapet PATH] [--json]
       [--only ${Object.keys(GROUPS).join("|")}]`;

function parse(args) {
  const { values } = parseArgs({
    args,
    options: {
      'rpc-url': { type: 'string' },
      'ws-url': { type: 'string' },
      parapet: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values['rpc-url']) throw new Error('--rpc-url is missing');
  if (values.only && !GROUPS[values.only]) throw new Error(`--only knows no ${values.only}`);
  return values;
}

/** The outcome of one check: `passed`, `failed` or `skipped`, the last two with a reason. */
async function judge(check, context) {
  const started = performance.now();
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${CHECK_MS_MAX} ms`)), CHECK_MS_MAX);
  });
  try {
    await Promise.race([check(context), timeout]);
    return { outcome: 'passed', ms: Math.round(performance.now() - started) };
  } catch (error) {
    const outcome = error instanceof Skip ? 'skipped' : 'failed';
    return { outcome, ms: Math.round(performance.now() - started), reason: error.message };
  } finally {
    clearTimeout(timer);
  }
}

function line({ name, outcome, ms, reason }) {
  const detail = reason ? `: ${reason.split('\n').map((part) => part.trim()).filter(Boolean).join(' | ')}` : '';
  return `${outcome.padEnd(7)} ${name} (${ms} ms)${detail}`;
}

async function main(args) {
  const options = parse(args);
  const context = await createContext(options);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [group, checks] of Object.entries(GROUPS)) {
    if (options.only && options.only !== group) continue;
    for (const [name, check] of Object.entries(checks)) {
      const result = { name: `${group}: ${name}`, ...(await judge(check, context)) };
      counts[result.outcome]++;
      console.log(options.json ? JSON.stringify(result) : line(result));
    }
  }
  console.log(options.json ? JSON.stringify(counts) : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 ? 0 : 1;
}

try {
  // Clients keep sockets and timers of their own; the report is complete, so they do not hold the exit up.
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exit(2);
}
