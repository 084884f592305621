//! Finds the block to fork, and how far its endpoint can be checked.

use std::sync::Arc;

use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, U256};
use lru::LruCache;
use parking_lot::{Mutex, RwLock};
use serde_json::{json, value::RawValue};

use crate::{
    Checks, Fork, ForkBlock, ForkError, ForkSettings, Repeat, Verify,
    answer::{self, Block},
    cache::{CACHE_BYTES_MAX, Cache},
    client::{Call, Client},
    file::{CacheFile, Of},
    flights::Flights,
    fork::{PASSED_MAX, read},
    proof, repeat,
};

impl Fork {
    /// Forks a chain.
    ///
    /// # Errors
    /// [`ForkError`] when the endpoint cannot be asked, has no such block, or is not what the settings want it to be.
    pub fn begin(settings: ForkSettings) -> Result<Self, ForkError> {
        let client = Client::new(&settings)?;
        let (of, asked) = match offline(&settings) {
            Some(of) => (of, None),
            None => online(&client, &settings).map(|(of, asked)| (of, Some(asked)))?,
        };
        let (block, repeat) = asked.map_or((None, None), |Asked { block, repeat }| (Some(block), repeat));
        let cache = Cache::new(CACHE_BYTES_MAX);
        let file = settings.cache.as_deref().map(|folder| CacheFile::open(folder, &of, &cache)).transpose()?;
        let at = if of.by_hash { json!({ "blockHash": of.hash }) } else { json!(format!("{:#x}", of.header.number)) };
        let number = format!("{:#x}", of.header.number);
        let fork = Self {
            client: RwLock::new(Arc::new(client)),
            settings: RwLock::new(settings),
            chain_id: of.chain_id,
            header: of.block(),
            checks: of.checks,
            repeat,
            at,
            cache,
            file,
            flights: Flights::default(),
            passed: Mutex::new(LruCache::new(PASSED_MAX)),
        };
        if let Some(block) = block {
            // As clients ask who want to know where the chain stands.
            fork.remember(("eth_getBlockByNumber".to_owned(), json!([number, false]).to_string()), &block);
        }
        Ok(fork)
    }

    /// Asks another endpoint from now on, which must be of the same chain and have the same block.
    ///
    /// # Errors
    /// [`ForkError`] when it has not; the endpoint is then the one that it was.
    pub fn ask_at(&self, url: String) -> Result<(), ForkError> {
        let settings = ForkSettings { urls: vec![url], ..self.settings() };
        let client = Client::new(&settings)?;
        check_chain(&client, self.chain_id)?;
        let block = block(&client, self.header.number)?;
        check_hash(&client, &block, self.header.hash())?;
        *self.client.write() = Arc::new(client);
        *self.settings.write() = settings;
        Ok(())
    }
}

/// What a cache has of the block, if chain and number are given: then nothing needs to be asked.
fn offline(settings: &ForkSettings) -> Option<Of> {
    let (Some(chain_id), ForkBlock::Number(number), Some(folder)) =
        (settings.chain_id, settings.block, settings.cache.as_deref())
    else {
        return None;
    };
    let of = CacheFile::find(folder, chain_id, number)?;
    let checked = match settings.verify {
        Verify::WherePossible => true,
        Verify::Always => of.checks == Checks::Proved,
        Verify::Never => of.checks == Checks::Told,
    };
    (checked && settings.block_hash.is_none_or(|hash| hash == of.hash)).then_some(of)
}

/// What was asked for once and is not in the cache.
struct Asked {
    /// The block that is forked, as it was answered.
    block: Box<RawValue>,
    repeat: Option<Repeat>,
}

fn online(client: &Client, settings: &ForkSettings) -> Result<(Of, Asked), ForkError> {
    let chain_id = match settings.chain_id {
        Some(chain_id) => chain_id,
        None => number(client, "eth_chainId")?,
    };
    let mut repeat = None;
    let block = match settings.block {
        ForkBlock::Latest => block_called(client, "latest")?,
        ForkBlock::Number(number) => block(client, number)?,
        ForkBlock::Behind(behind) => {
            let latest = number(client, "eth_blockNumber")?;
            let number = latest.checked_sub(behind).ok_or_else(|| ForkError::NoBlock {
                endpoint: client.name().to_owned(),
                wanted: format!("{behind} before block {latest}"),
            })?;
            self::block(client, number)?
        }
        ForkBlock::Transaction(hash) => {
            let Repeat { header, .. } = repeat.insert(repeat::find(client, hash)?);
            let before = self::block(client, header.number.saturating_sub(1))?;
            check_hash(client, &before, header.parent_hash)?;
            before
        }
    };
    if let Some(wanted) = settings.block_hash {
        check_hash(client, &block, wanted)?;
    }
    let (checks, by_hash) = probe(client, &block, settings.verify)?;
    if let Some(Repeat { header, .. }) = repeat.as_ref().filter(|_| checks == Checks::Proved) {
        check_own_hash(client, header)?;
    }
    let hash = block.header.hash();
    let of = Of { chain_id, hash, header: block.header.into_inner(), checks, by_hash };
    Ok((of, Asked { block: block.raw, repeat }))
}

/// Refuses a header that does not hash to the hash that it is said to have.
fn check_own_hash(client: &Client, header: &Sealed<Header>) -> Result<(), ForkError> {
    if header.hash_slow() == header.hash() {
        return Ok(());
    }
    Err(ForkError::Nonsense {
        endpoint: client.name().to_owned(),
        method: "eth_getBlockByNumber".to_owned(),
        reason: format!("the header of block {} does not hash to {}", header.number, header.hash()),
    })
}

/// Finds out whether the endpoint has proofs, and whether it knows blocks by their hashes (EIP-1898).
fn probe(client: &Client, block: &Block, verify: Verify) -> Result<(Checks, bool), ForkError> {
    let (hash, number) = (json!({ "blockHash": block.header.hash() }), format!("{:#x}", block.header.number));
    let by_hash = client.call("eth_getBalance", json!([Address::ZERO, hash])).is_ok();
    let at = if by_hash { hash } else { json!(number) };
    let proved = match verify {
        Verify::Never => Err("it is not asked".to_owned()),
        Verify::WherePossible | Verify::Always => has_proofs(client, block, &at),
    };
    match (proved, verify) {
        (Ok(()), _) => Ok((Checks::Proved, by_hash)),
        (Err(reason), Verify::Always) => {
            Err(ForkError::NoProofs { endpoint: client.name().to_owned(), number: block.header.number, reason })
        }
        (Err(reason), Verify::WherePossible) => {
            tracing::warn!(
                "{} has no proofs of block {} ({reason}): its answers cannot be verified and are believed",
                client.name(),
                block.header.number
            );
            Ok((Checks::Told, by_hash))
        }
        (Err(_), Verify::Never) => Ok((Checks::Told, by_hash)),
    }
}

/// Whether the block's own hash commits to a state root against which the endpoint proves something.
fn has_proofs(client: &Client, block: &Block, at: &serde_json::Value) -> Result<(), String> {
    if !block.hash_is_proved {
        return Err("its headers have fields that are not Ethereum's".to_owned());
    }
    let slot = U256::ZERO;
    let params = json!([Address::ZERO, [B256::from(slot)], at]);
    let answer = client.call("eth_getProof", params).map_err(|error| error.to_string())?;
    let said = answer::parse(&answer)?;
    proof::check(&said, block.header.state_root, Address::ZERO, &[slot]).map(|_| ())
}

fn number(client: &Client, method: &'static str) -> Result<u64, ForkError> {
    let call = Call { method, params: json!([]) };
    let answer = client.call(method, call.params.clone());
    read(client, &mut [(answer, &call)].into_iter(), answer::number)
}

fn block(client: &Client, number: u64) -> Result<Block, ForkError> {
    let block = block_called(client, &format!("{number:#x}"))?;
    if block.header.number == number {
        return Ok(block);
    }
    Err(ForkError::Nonsense {
        endpoint: client.name().to_owned(),
        method: "eth_getBlockByNumber".to_owned(),
        reason: format!("block {} instead of {number}", block.header.number),
    })
}

fn block_called(client: &Client, name: &str) -> Result<Block, ForkError> {
    let call = Call { method: "eth_getBlockByNumber", params: json!([name, false]) };
    let answer = client.call(call.method, call.params.clone());
    let block = read(client, &mut [(answer, &call)].into_iter(), answer::block)?;
    block.ok_or_else(|| ForkError::NoBlock { endpoint: client.name().to_owned(), wanted: name.to_owned() })
}

fn check_hash(client: &Client, block: &Block, wanted: B256) -> Result<(), ForkError> {
    let (number, found) = (block.header.number, block.header.hash());
    if found == wanted {
        return Ok(());
    }
    Err(ForkError::OtherBlock { endpoint: client.name().to_owned(), number, found, wanted })
}

fn check_chain(client: &Client, wanted: u64) -> Result<(), ForkError> {
    let found = number(client, "eth_chainId")?;
    if found == wanted {
        Ok(())
    } else {
        Err(ForkError::OtherChain { endpoint: client.name().to_owned(), found, wanted })
    }
}
