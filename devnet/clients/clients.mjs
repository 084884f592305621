// The libraries set up as their documentation has it, for one node.

import { Contract, ContractFactory, JsonRpcProvider, Wallet } from 'ethers';
import { createPublicClient, createWalletClient, defineChain, getContract, http } from 'viem';
import { ONE_ETHER, account, artifact, foundry, succeed } from './context.mjs';

const POLLING_MS = 100;

/** viem: a public client, a wallet of the account at `index`, and what checks do most. */
export function viemClient({ rpcUrl, chainId }, index = 0) {
  const chain = defineChain({
    id: chainId,
    name: 'node under check',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const shared = { chain, pollingInterval: POLLING_MS, transport: http(rpcUrl) };
  const client = createPublicClient(shared);
  const wallet = createWalletClient({ ...shared, account: account(index).signer });
  const mined = async (hash) => client.waitForTransactionReceipt({ hash: await hash });
  const deploy = async ({ abi, bytecode }, args = [], options = {}) => {
    const receipt = await mined(wallet.deployContract({ abi, bytecode, args, ...options }));
    const contract = getContract({ address: receipt.contractAddress, abi, client: { public: client, wallet } });
    return { contract, receipt };
  };
  return { chain, client, wallet, mined, deploy };
}

/** ethers: a provider and a wallet of the account at `index`. */
export function ethersClient({ rpcUrl }, index = 0) {
  // Answers are kept for 250 ms otherwise, longer than a development chain takes from one nonce to the next.
  const provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: POLLING_MS });
  const wallet = new Wallet(account(index).privateKey, provider);
  const deploy = async ({ abi, bytecode }, args = []) => {
    const contract = await new ContractFactory(abi, bytecode, wallet).deploy(...args);
    await contract.waitForDeployment();
    return new Contract(await contract.getAddress(), abi, wallet);
  };
  return { provider, wallet, deploy };
}

export const CAST = foundry('cast');

/** cast: runs a subcommand against the node; fails when cast does. Flags come first: `--create` takes all that follows. */
export const cast = ({ rpcUrl }, subcommand, ...args) => succeed(CAST, [subcommand, '--rpc-url', rpcUrl, ...args]);

/** cast: sends as the account at `index`; answers the receipt. */
export async function castSend(context, index, ...args) {
  return JSON.parse(await cast(context, 'send', '--json', '--private-key', account(index).privateKey, ...args));
}

/** A new vault of account 0 that holds ten of its ether; answers viem's contract. */
export async function fundedVault(context) {
  const { deploy, mined } = viemClient(context);
  const { contract } = await deploy(artifact('reentrancy', 'Vault'));
  await mined(contract.write.deposit({ value: 10n * ONE_ETHER }));
  return contract;
}
