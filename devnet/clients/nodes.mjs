// Nodes that are started and asked: anvil and Parapet, each as its makers publish it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS_MAX = 30_000;
const MINED_MS_MAX = 10_000;
export const UNKNOWN_METHOD = -32601;
export const FEES = { maxFeePerGas: '0x174876e800', maxPriorityFeePerGas: '0x3b9aca00' };
/** Account 0 of either. */
const DEPLOYER = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const packaged = path.join(path.dirname(fileURLToPath(import.meta.url)), 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
export const ANVIL = existsSync(packaged) ? packaged : 'anvil';

/** A node that is asked; it notes whether it knows a method. */
export class Node {
  constructor(name, port) {
    this.name = name;
    this.url = `http://127.0.0.1:${port}`;
    this.id = 0;
  }

  async raw(method, params) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++this.id, method, params });
    const response = await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return response.json();
  }

  /** The answer; a refusal is `{ refused: true }`, whatever its words. */
  ask = async (method, ...params) => {
    const { result, error } = await this.raw(method, params);
    if (error?.code === UNKNOWN_METHOD) throw new Unknown(method);
    return error ? { refused: true, message: error.message } : result;
  };

  /** The answer to what must succeed. */
  must = async (method, ...params) => {
    const answer = await this.ask(method, ...params);
    if (answer?.refused) throw new Error(`${this.name} refuses ${method}: ${answer.message}`);
    return answer;
  };

  /** Sends a transaction and waits for its receipt. */
  mined = async (transaction) => this.receipt(await this.must('eth_sendTransaction', transaction));

  receipt = async (hash) => {
    for (const until = Date.now() + MINED_MS_MAX; Date.now() < until; await new Promise((go) => setTimeout(go, 5))) {
      const receipt = await this.must('eth_getTransactionReceipt', hash);
      if (receipt) return receipt;
    }
    throw new Error(`${this.name} has not mined ${hash}`);
  };

  deploy = async (code) =>
    (await this.mined({ from: DEPLOYER, data: code, gas: '0x30d40', ...FEES })).contractAddress;
}

export class Unknown extends Error {}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export async function start(name, program, args) {
  const port = await freePort();
  const process = spawn(program, [...args, '--port', String(port)], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.on('error', (error) => { throw new Error(`${program} cannot be started: ${error.message}`); });
  const node = new Node(name, port);
  for (const until = Date.now() + START_MS_MAX; ; await new Promise((go) => setTimeout(go, 30))) {
    try {
      await node.must('eth_chainId');
      return { node, process };
    } catch (error) {
      if (Date.now() > until || process.exitCode !== null) throw new Error(`${name} does not answer: ${error.message}`);
    }
  }
}
