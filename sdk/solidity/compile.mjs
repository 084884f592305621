// Compiles the project's contracts into committed artefacts, so that nothing else here needs a Solidity compiler.
//
//   node compile.mjs           writes the artefacts
//   node compile.mjs --check   compiles again and fails, naming each artefact that differs, is missing or is left over
//
// The bytes are reproducible: one pinned compiler, no metadata hash, source names relative to the repository.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import solc from 'solc';

export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const SETTINGS = {
  evmVersion: 'prague',
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

// EIP-170 and EIP-3860.
const CODE_BYTES_MAX = 24_576;
const INIT_CODE_BYTES_MAX = 2 * CODE_BYTES_MAX;

const REGISTRY = 'monitor/registry/contracts/GuardRegistry.sol';

// By way of the compiler's intermediate language the registry takes a tenth less code, and it needs that: see CODE_BYTES_MAX.
const REGISTRY_SETTINGS = { ...SETTINGS, viaIR: true };

// Each source file holds one contract of the same name; its artefact goes to the folder on the left.
const ARTIFACTS = {
  'monitor/registry/artifacts': [REGISTRY],
  'examples/reentrancy/artifacts': [
    'examples/reentrancy/contracts/Vault.sol',
    'examples/reentrancy/contracts/Attacker.sol',
    'examples/reentrancy/contracts/AttackerFromConstructor.sol',
  ],
  'examples/outflow/artifacts': ['examples/outflow/contracts/Token.sol', 'examples/outflow/contracts/Treasury.sol'],
  'devnet/workloads/artifacts': [
    'devnet/workloads/contracts/PlainToken.sol',
    'devnet/workloads/contracts/Pool.sol',
    'devnet/workloads/contracts/Router.sol',
    'devnet/workloads/contracts/Tally.sol',
  ],
};

// Attacks that guards are proved on: each folder's contracts, with no need to name them here.
const ATTACKS = 'examples/attacks';
for (const folder of readdirSync(path.join(REPOSITORY, ATTACKS)).sort()) {
  const contracts = `${ATTACKS}/${folder}/contracts`;
  if (!existsSync(path.join(REPOSITORY, contracts))) continue;
  const names = readdirSync(path.join(REPOSITORY, contracts)).sort();
  ARTIFACTS[`${ATTACKS}/${folder}/artifacts`] = names.map((name) => `${contracts}/${name}`);
}

// Compiled to know that they compile; they are used as source.
const SOURCES_WITHOUT_ARTIFACT = ['sdk/solidity/GuardLib.sol'];

function readSource(name) {
  return readFileSync(path.join(REPOSITORY, name), 'utf8');
}

/** Compiles the named sources; answers `(sourceName, contractName) => solc's output`. Throws on any diagnostic. */
export function compile(sourceNames, settings = SETTINGS) {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(sourceNames.map((name) => [name, { content: readSource(name) }])),
    settings: {
      ...settings,
      outputSelection: {
        '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.methodIdentifiers', 'storageLayout'] },
      },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (name) => ({ contents: readSource(name) }) }));
  if (output.errors?.length) {
    throw new Error(output.errors.map((diagnostic) => diagnostic.formattedMessage).join('\n'));
  }
  return (sourceName, contractName) => output.contracts[sourceName][contractName];
}

function artifactOf(sourceName, compiled, settings) {
  const contractName = path.basename(sourceName, '.sol');
  const { abi, evm, storageLayout } = compiled(sourceName, contractName);
  assertSize(sourceName, evm.deployedBytecode.object, CODE_BYTES_MAX);
  assertSize(sourceName, evm.bytecode.object, INIT_CODE_BYTES_MAX);
  return {
    contractName,
    sourceName,
    compiler: { version: solc.version(), ...settings },
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
    ...(sourceName === REGISTRY ? { storageLayout: withoutAstIds(storageLayout) } : {}),
    methodIdentifiers: evm.methodIdentifiers,
  };
}

function assertSize(sourceName, hex, bytesMax) {
  const bytes = hex.length / 2;
  if (bytes > bytesMax) throw new Error(`${sourceName}: ${bytes} bytes of code, ${bytesMax} is the most`);
}

// The compiler numbers syntax nodes across all sources of a run; those numbers say nothing about the contract.
function withoutAstIds(layout) {
  const renamed = JSON.stringify(layout, (key, value) => (key === 'astId' ? undefined : value));
  return JSON.parse(renamed.replace(/(t_(?:struct|enum|contract)\([^)]*\))\d+/g, '$1'));
}

/** Every artefact as `path relative to the repository => text of the file`. */
function artifacts() {
  const sources = [...Object.values(ARTIFACTS).flat(), ...SOURCES_WITHOUT_ARTIFACT];
  const others = compile(sources.filter((name) => name !== REGISTRY));
  const registry = compile([REGISTRY], REGISTRY_SETTINGS);
  const texts = new Map();
  for (const [folder, names] of Object.entries(ARTIFACTS)) {
    for (const name of names) {
      const isRegistry = name === REGISTRY;
      const artifact = artifactOf(name, isRegistry ? registry : others, isRegistry ? REGISTRY_SETTINGS : SETTINGS);
      texts.set(`${folder}/${artifact.contractName}.json`, `${JSON.stringify(artifact, null, 2)}\n`);
    }
  }
  return texts;
}

function write(texts) {
  for (const [name, text] of texts) {
    const file = path.join(REPOSITORY, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${name}`);
  }
}

/** One line for each artefact that is not what the sources give. */
function differences(texts) {
  const found = [];
  for (const [name, text] of texts) {
    const file = path.join(REPOSITORY, name);
    if (!existsSync(file)) found.push(`${name}: missing`);
    else if (readFileSync(file, 'utf8') !== text) found.push(`${name}: differs from its source`);
  }
  for (const folder of Object.keys(ARTIFACTS)) {
    const committed = path.join(REPOSITORY, folder);
    if (!existsSync(committed)) continue;
    for (const entry of readdirSync(committed)) {
      if (!texts.has(`${folder}/${entry}`)) found.push(`${folder}/${entry}: has no source`);
    }
  }
  return found;
}

function main(options) {
  const unknown = options.filter((option) => option !== '--check');
  if (unknown.length > 0) {
    console.error(`unknown option ${unknown[0]}; usage: node compile.mjs [--check]`);
    return 2;
  }
  const texts = artifacts();
  if (!options.includes('--check')) {
    write(texts);
    return 0;
  }
  const found = differences(texts);
  found.forEach((line) => console.error(line));
  console.log(found.length === 0 ? `${texts.size} artefacts match their sources` : 'run: node sdk/solidity/compile.mjs');
  return found.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = main(process.argv.slice(2));
}
