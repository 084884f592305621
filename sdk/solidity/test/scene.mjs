// What the registry's tests share: a chain with a registry on it, people, and short words for what they do.

import { concatHex, encodeAbiParameters, keccak256, padHex, slice, toHex, zeroAddress } from 'viem';
import { ADMIN_READER_ADDRESS, account, deploy, errorOf, receiptOf, registryArtifact, send, startChain, testContract } from './chain.mjs';

export const SHADOW = 1;
export const ENFORCE = 2;
export const CHUNK_BYTES_MAX = 24_575;
export const MODULE_BYTES_MAX = 524_288;
export const DAY = 86_400;

/** What a change can be about, by its number in the registry. */
export const KIND = { Attach: 0, Mode: 1, Content: 2, Terms: 3, Delay: 4, Manager: 5, Unpause: 6, Detach: 7 };

export const deployer = account(0);
export const stranger = account(1);
export const manager = account(2);
export const thief = account(3);
export const governance = account(8);
export const guardian = account(9);

export const TERMS = { failure: 0, priority: 0, fuelMax: 0n, demotionShare: 0, triggers: 0, escapes: [] };

/** Bytes that differ from those of every other seed. */
export function bytesOf(seed, size) {
  const bytes = new Uint8Array(size).fill(seed);
  bytes.set([seed >> 8, seed & 0xff], 0);
  return toHex(bytes);
}

/** The error a call reverts with, its addresses in lower case, as a list. */
export const lower = (values) => values.map((value) => (typeof value === 'string' && /^0x.{40}$/.test(value) ? value.toLowerCase() : value));

export async function startScene() {
  const chain = await startChain({ guardian: guardian.address, governance: governance.address });
  return new Scene(chain);
}

class Scene {
  constructor(chain) {
    this.chain = chain;
    this.client = chain.client;
    this.read = (functionName, args = []) => chain.registry.read[functionName](args);
    this.act = (from, functionName, ...args) => send(chain, from, functionName, args);
    this.refused = (from, functionName, ...args) => errorOf(this.act(from, functionName, ...args));
    this.mined = async (hash) => receiptOf(chain.client, await hash);
    this.make = (name, args, value) => deploy(chain, testContract(name), args, value);
    this.ownedBy = (address) => this.make('Owned', [address]);
  }

  stop() {
    this.chain.stop();
  }

  async upload(from, code) {
    const module = keccak256(code);
    const size = (code.length - 2) / 2;
    const receipts = [];
    for (let offset = 0, index = 0n; offset < size; offset += CHUNK_BYTES_MAX, index++) {
      const chunk = slice(code, offset, Math.min(size, offset + CHUNK_BYTES_MAX));
      receipts.push(await this.act(from, 'uploadChunk', module, index, chunk));
    }
    return { module, receipts };
  }

  async register(from, code) {
    const { module } = await this.upload(from, code);
    await this.act(from, 'registerModule', module);
    return module;
  }

  async aModule() {
    this.registered ??= await this.register(deployer, bytesOf(1, 1_000));
    return this.registered;
  }

  /** What `attach` takes; changes of terms may stand beside the others. */
  async request(accounts, changes = {}) {
    const wanted = {
      module: await this.aModule(), accounts, configuration: '0x', mode: SHADOW, manager: zeroAddress, delay: 0,
    };
    const terms = { ...TERMS };
    for (const [name, value] of Object.entries(changes)) (name in TERMS ? terms : wanted)[name] = value;
    return { ...wanted, terms };
  }

  async attach(from, accounts, changes) {
    const { result } = await this.act(from, 'attach', await this.request(accounts, changes));
    return result;
  }

  /** Makes `admin` the ERC-1967 admin of an account, as far as the registry can tell. */
  async administer(address, admin) {
    await this.client.setStorageAt({ address: ADMIN_READER_ADDRESS, index: padHex(address), value: padHex(admin) });
  }

  /** Lets block time pass. */
  async pass(seconds) {
    await this.client.increaseTime({ seconds });
    await this.client.mine({ blocks: 1 });
  }

  async now() {
    return (await this.client.getBlock()).timestamp;
  }

  /** What guards an account: all of every attachment that it has. */
  async guards(address) {
    const ids = await this.read('attachmentsOf', [address]);
    return Promise.all(ids.map((id) => this.read('attachment', [id])));
  }
}

/** The id that an attachment gets. */
export function attachmentId(registry, sender, nonce) {
  const types = ['uint256', 'address', 'address', 'uint256'].map((type) => ({ type }));
  return keccak256(encodeAbiParameters(types, [31337n, registry, sender, nonce]));
}

/** Where a value of a mapping begins. */
export const mapped = (key, slot) => keccak256(concatHex([padHex(key), padHex(slot)]));

export const { abi } = registryArtifact;
