//! Blocks of real chains, with all the state they need.

use std::path::Path;

use alloy_consensus::Header;
use alloy_primitives::Bytes;
use alloy_rlp::Decodable as _;
use parapet_executor::{Admission, BlockInput, Listing, Point};
use parapet_import::{ImportError, IncomingBlock};
use parapet_types::{Ancestors, BlockContext, ChainParams, FlatState, Transaction};

use crate::{
    ConformanceError, Skip, error::Stop, files, network::Schedule, prestate::PrestateBlock, witness::WitnessBlock,
};

/// A block of a real chain, ready to be executed on its own.
#[derive(Clone, Debug)]
pub struct RealBlock {
    /// Where it comes from: the folder and name of its file, without the extension.
    pub name: String,
    /// The chain's parameters at that block.
    pub params: ChainParams,
    /// All state that it reads.
    pub state: FlatState,
    /// Hashes for BLOCKHASH, as far as the file has them.
    pub ancestors: Ancestors,
    /// Its header.
    pub header: Header,
    /// What its header fixes before its transactions run.
    pub block: BlockContext,
    /// Its transactions, senders recovered.
    pub transactions: Vec<Transaction>,
}

impl RealBlock {
    /// What executing it depends on.
    #[must_use]
    pub fn input(&self) -> BlockInput<'_> {
        let at = Point { params: &self.params, world: &self.state, ancestors: &self.ancestors, block: &self.block };
        BlockInput { at, transactions: &self.transactions, admission: Admission::Import, access_list: Listing::Ignore }
    }

    pub(crate) fn new(name: String, params: ChainParams, state: FlatState, decoded: Decoded) -> Self {
        let Decoded { block, ancestors, .. } = decoded;
        Self {
            name,
            params,
            state,
            ancestors,
            block: block.context(),
            header: block.header.into_inner(),
            transactions: block.transactions,
        }
    }
}

/// A real block as it was decoded.
pub(crate) struct Decoded {
    pub(crate) params: ChainParams,
    pub(crate) block: IncomingBlock,
    /// The parent's hash, and others that the file gives.
    pub(crate) ancestors: Ancestors,
}

/// Decodes a real block; blocks from before the merge are not this node's.
pub(crate) fn decode(chain_id: u64, rlp: &Bytes) -> Result<Decoded, Stop> {
    let header = header(rlp).map_err(ImportError::Encoding)?;
    if !header.difficulty.is_zero() {
        return Err(Skip::BeforeParis(format!("chain {chain_id}")).into());
    }
    let params = Schedule::of_chain(chain_id)?.params(chain_id, header.timestamp, header.gas_limit);
    let block = IncomingBlock::decode(rlp)?;
    let ancestors = header.number.checked_sub(1).map(|parent| (parent, header.parent_hash)).into_iter().collect();
    Ok(Decoded { params, block, ancestors })
}

/// The header alone: the body of an old block need not follow today's rules of signatures.
fn header(mut rlp: &[u8]) -> alloy_rlp::Result<Header> {
    let mut payload = alloy_rlp::Header::decode_bytes(&mut rlp, true)?;
    Header::decode(&mut payload)
}

/// Blocks with their whole pre-state, from every file of the folder. Blocks from before the merge are left out.
///
/// # Errors
/// [`ConformanceError`] for a folder or file that cannot be read.
pub fn prestate_blocks(folder: &Path) -> Result<Vec<RealBlock>, ConformanceError> {
    load(folder, |name, json| serde_json::from_slice::<PrestateBlock>(json)?.load(name))
}

/// Blocks with a state witness, from every file of the folder. Blocks from before the merge are left out. Each is
/// executed once, since a witness does not tell which accounts it is about.
///
/// # Errors
/// [`ConformanceError`] for a folder or file that cannot be read, and for a witness that lacks something.
pub fn witness_blocks(folder: &Path) -> Result<Vec<RealBlock>, ConformanceError> {
    load(folder, |name, json| serde_json::from_slice::<WitnessBlock>(json)?.load(name))
}

/// The real blocks of the fixtures: of `prestate-blocks`, then of `witness-blocks`.
///
/// # Errors
/// [`ConformanceError`] for a folder or file that cannot be read.
pub fn real_blocks(fixtures: &Path) -> Result<Vec<RealBlock>, ConformanceError> {
    let mut blocks = prestate_blocks(&fixtures.join("prestate-blocks"))?;
    blocks.extend(witness_blocks(&fixtures.join("witness-blocks"))?);
    Ok(blocks)
}

fn load(
    folder: &Path,
    mut read: impl FnMut(String, &[u8]) -> Result<RealBlock, Stop>,
) -> Result<Vec<RealBlock>, ConformanceError> {
    let mut blocks = Vec::new();
    for path in files::find(folder)? {
        let name = path.with_extension("");
        let parts: Vec<_> = name.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
        let name = parts.into_iter().rev().collect::<Vec<_>>().join("/");
        match read(name, &files::read(&path)?) {
            Ok(block) => blocks.push(block),
            Err(Stop::Skip(_)) => {}
            Err(Stop::Fail(error)) => return Err(error),
        }
    }
    Ok(blocks)
}
