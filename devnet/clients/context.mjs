// What every check is given: the node's addresses, funded accounts, compiled contracts, and a way to run programs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REPOSITORY = path.resolve(HERE, '../..');
const MNEMONIC = 'test test test test test test test test test test test junk';
const PROGRAM_MS_MAX = 100_000;
const OUTPUT_BYTES_MAX = 16 * 1_024 * 1_024;

/** Thrown by a check that cannot run here; the message is the reason. */
export class Skip extends Error {}

export const ONE_ETHER = 10n ** 18n;

export function artifact(example, name) {
  return JSON.parse(readFileSync(path.join(REPOSITORY, 'examples', example, 'artifacts', `${name}.json`), 'utf8'));
}

export const registryArtifact = JSON.parse(
  readFileSync(path.join(REPOSITORY, 'monitor/registry/artifacts/GuardRegistry.json'), 'utf8'),
);

/** The development account at `index`, with its private key. */
export function account(index) {
  const derived = mnemonicToAccount(MNEMONIC, { addressIndex: index });
  return { signer: derived, address: derived.address, privateKey: toHex(derived.getHdKey().privateKey) };
}

/**
 * Runs a program to its end; answers its exit code (-1 when it could not be run or was stopped) and output. Skips the
 * check when there is no such program.
 */
export function run(program, args, { cwd = HERE, env = {}, msMax = PROGRAM_MS_MAX } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: msMax, maxBuffer: OUTPUT_BYTES_MAX };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') {
        reject(new Skip(`${program} is not installed`));
        return;
      }
      const code = error ? (Number.isInteger(error.code) ? error.code : -1) : 0;
      resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() || (code === -1 ? error.message : '') });
    });
  });
}

/** The same, for a program that must succeed; answers what it printed. */
export async function succeed(program, args, options) {
  const { code, stdout, stderr } = await run(program, args, options);
  assert.equal(code, 0, `${path.basename(program)} ${args[0]} exited with ${code}: ${stderr}`);
  return stdout;
}

/**
 * A program of Foundry's: from its npm package where there is one for this platform, else the one on the path. The
 * binary itself, since the npm launcher in front of it ends with exit code 0 whatever the program says.
 */
export function foundry(name) {
  const packaged = path.join(HERE, `node_modules/@foundry-rs/${name}-linux-amd64/bin/${name}`);
  return existsSync(packaged) ? packaged : name;
}

export const here = (...parts) => path.join(HERE, ...parts);

/** One JSON-RPC call without any client library; answers the whole response. */
export async function rpc({ rpcUrl }, method, params = []) {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.json();
}

/** Fails when no node answers or there is no `parapet` program where one was said to be, before any check is run. */
export async function createContext(options) {
  const rpcUrl = options['rpc-url'];
  if (options.parapet && !existsSync(options.parapet)) throw new Error(`no program at ${options.parapet}`);
  const context = { rpcUrl, wsUrl: options['ws-url'] ?? rpcUrl.replace(/^http/, 'ws'), parapet: options.parapet && path.resolve(options.parapet) };
  try {
    context.chainId = Number((await rpc(context, 'eth_chainId')).result);
  } catch (error) {
    throw new Error(`no node answers at ${rpcUrl}: ${error.cause?.message ?? error.message}`);
  }
  return context;
}
