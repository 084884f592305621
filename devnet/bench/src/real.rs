//! Real blocks of mainnet as JSON files, each with the state before it: whole, or as a witness.
//!
//! Only blocks whose rules the node has: from London on. Between London and the merge nothing differs for transactions
//! but the name of one opcode's value: what was the difficulty then is PREVRANDAO since.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_consensus::{
    Block, Header, TxEnvelope, TxReceipt as _, proofs::calculate_receipt_root, transaction::SignerRecoverable as _,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, U64, U256, keccak256};
use alloy_rlp::Decodable as _;
use parapet_executor::{Mode, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, FlatState, Hardfork, StateChanges, StateReader,
    Transaction,
};
use serde::Deserialize;

use crate::{BenchError, Case, witness::Witness};

/// The longest file that is read: eight times the longest there is.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// The most files that are read from a folder.
const FILES_MAX: usize = 1_000;
/// Mainnet's id; the forks below are mainnet's.
const MAINNET: u64 = 1;
/// The first block with a base fee.
const LONDON: u64 = 12_965_000;
/// From which timestamp on (EIP-6122) mainnet's blocks follow which rules, newest first.
const FORKS: [(u64, Hardfork); 6] = [
    (1_767_747_671, Hardfork::BPO2),
    (1_765_290_071, Hardfork::BPO1),
    (1_764_798_551, Hardfork::Osaka),
    (1_746_612_311, Hardfork::Prague),
    (1_710_338_135, Hardfork::Cancun),
    (1_681_338_455, Hardfork::Shanghai),
];

#[derive(Deserialize)]
struct File {
    chain_id: u64,
    block_rlp: Bytes,
    #[serde(flatten)]
    state: Given,
    block_hashes: Option<Hashes>,
}

/// In which of the two forms the state before the block is given.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Given {
    Pre(BTreeMap<Address, PreAccount>),
    Witness(WitnessFile),
}

#[derive(Deserialize)]
struct PreAccount {
    balance: U256,
    nonce: U64,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

#[derive(Deserialize)]
struct WitnessFile {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    /// The parent's header, and as many before it as BLOCKHASH asked for.
    headers: Vec<Bytes>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Hashes {
    ByNumber(BTreeMap<String, B256>),
    /// The parent's hash, and those before it.
    Backwards(Vec<B256>),
}

/// Blocks of a folder.
#[derive(Debug, Default)]
pub struct RealBlocks {
    /// Those that were read, in order of their numbers.
    pub cases: Vec<Case>,
    /// How many were left out because their rules are older than the node's.
    pub too_old: usize,
    /// How many were left out because they are another chain's.
    pub foreign: usize,
}

impl RealBlocks {
    /// Adds the blocks of a folder. Each is executed sequentially: gas, bloom and receipts must be its header's.
    ///
    /// # Errors
    /// [`BenchError::File`], [`BenchError::Fixture`].
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), BenchError> {
        let failed = |source| BenchError::File { path: folder.to_owned(), source };
        for entry in fs::read_dir(folder).map_err(failed)?.take(FILES_MAX) {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let fixture = |reason| BenchError::Fixture { path: path.clone(), reason };
                let file = read(&path)?;
                self.add(file).map_err(fixture)?;
            }
        }
        self.cases.sort_by_key(|case| case.block.number);
        Ok(())
    }

    fn add(&mut self, file: File) -> Result<(), String> {
        let block: Block<TxEnvelope> = Block::decode(&mut &file.block_rlp[..]).map_err(|error| error.to_string())?;
        if file.chain_id != MAINNET {
            self.foreign += 1;
        } else if block.header.number < LONDON {
            self.too_old += 1;
        } else {
            let header = block.header.clone();
            let case = case(file, block)?;
            verify(&case, &case.state, &header)?;
            self.cases.push(case);
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<File, BenchError> {
    let failed = |source| BenchError::File { path: path.to_owned(), source };
    let fixture = |reason| BenchError::Fixture { path: path.to_owned(), reason };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        return Err(fixture(format!("it is {length} bytes long, more than {FILE_BYTES_MAX}")));
    }
    let json = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&json).map_err(|error| fixture(error.to_string()))
}

fn case(file: File, block: Block<TxEnvelope>) -> Result<Case, String> {
    let Block { header, body } = block;
    let signed = body.transactions;
    let recovered = signed.iter().cloned().map(|envelope| envelope.try_into_recovered());
    let transactions: Vec<Transaction> = recovered.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let mut context = BlockContext::of(&header, body.withdrawals.map(|list| list.into_inner()).unwrap_or_default());
    if !header.difficulty.is_zero() {
        context.prev_randao = header.difficulty.into();
    }
    let mut case = Case {
        name: header.number.to_string(),
        params: ChainParams {
            chain_id: file.chain_id,
            hardfork: hardfork(header.timestamp),
            block_gas_limit: header.gas_limit,
        },
        state: FlatState::default(),
        ancestors: ancestors(&header, file.block_hashes)?,
        block: context,
        transactions,
        signed,
    };
    case.state = match file.state {
        Given::Pre(pre) => flat(pre),
        Given::Witness(witness) => shown(witness, &mut case, &header)?,
    };
    Ok(case)
}

fn ancestors(header: &Header, hashes: Option<Hashes>) -> Result<Ancestors, String> {
    let parent = header.number.saturating_sub(1);
    let mut ancestors = Ancestors::from([(parent, header.parent_hash)]);
    match hashes {
        None => {}
        Some(Hashes::ByNumber(hashes)) => {
            for (number, hash) in hashes {
                ancestors.insert(number.parse().map_err(|_| format!("{number:?} is no block's number"))?, hash);
            }
        }
        Some(Hashes::Backwards(hashes)) => {
            ancestors.extend((0..=parent).rev().zip(hashes));
        }
    }
    Ok(ancestors)
}

/// What a witness shows to whoever executes the block.
fn shown(file: WitnessFile, case: &mut Case, header: &Header) -> Result<FlatState, String> {
    let mut root = None;
    for rlp in file.headers {
        let ancestor = Header::decode(&mut &rlp[..]).map_err(|error| error.to_string())?;
        let hash = keccak256(&rlp);
        if hash == header.parent_hash {
            root = Some(ancestor.state_root);
        }
        case.ancestors.insert(ancestor.number, hash);
    }
    let root = root.ok_or("its witness lacks the parent's header")?;
    let witness = Witness::new(root, file.state, file.codes);
    verify(case, &witness, header)?;
    Ok(witness.into_read())
}

fn hardfork(timestamp: u64) -> Hardfork {
    FORKS.iter().find(|(from, _)| timestamp >= *from).map_or(Hardfork::Paris, |(_, fork)| *fork)
}

fn flat(pre: BTreeMap<Address, PreAccount>) -> FlatState {
    let mut changes = StateChanges::default();
    for (address, account) in pre {
        let code_hash = keccak256(&account.code);
        let info = AccountInfo { nonce: account.nonce.to(), balance: account.balance, code_hash };
        // An account that is empty before the block is none (EIP-161): the file names whatever was looked at.
        if info == AccountInfo::default() {
            continue;
        }
        changes.code.insert(code_hash, account.code);
        let change = AccountChange { info: Some(info), wipe_storage: false, storage: account.storage };
        changes.accounts.insert(address, change);
    }
    FlatState::from(&changes)
}

/// Whether sequential execution on this state gives what the header announces.
fn verify(case: &Case, world: &dyn StateReader, header: &Header) -> Result<(), String> {
    let mut input = case.input();
    input.at.world = world;
    let executed = execute_block(&input, &NoMonitor, Mode::Sequential).map_err(|error| error.to_string())?;
    if executed.gas_used != header.gas_used {
        return Err(format!("it uses {} gas, its header says {}", executed.gas_used, header.gas_used));
    }
    let receipts: Vec<_> = executed.included.iter().map(|included| &included.receipt).collect();
    let bloom = receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
    if bloom != header.logs_bloom {
        return Err("its logs are not those that its header announces".to_owned());
    }
    if calculate_receipt_root(&receipts) != header.receipts_root {
        return Err("its receipts are not those that its header announces".to_owned());
    }
    Ok(())
}
