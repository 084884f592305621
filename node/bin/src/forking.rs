//! `parapet dev --fork-url`: a chain that goes on from a block of another one. Flags have anvil's names and meanings.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::{Address, B256};
use parapet_builder::Beginning;
use parapet_fork::{Fork, ForkBlock, ForkError, ForkSettings, Verify, Want, default_cache_folder, hardfork_of};
use parapet_genesis::{DevAccount, DevFork, DevSettings, LookedAt};
use parapet_rpc::{Beginner, Refork, RpcError};
use parapet_state::{ChainStore, KeptFork, StoreError, StoredBlock, SyncMode};
use parapet_types::ChainParams;

use crate::{args::ChainArgs, failure::Failure};

/// Folder of what was read of another chain, in that of a chain that is kept.
const CACHE_FOLDER: &str = "fork-cache";

/// From where a chain goes on.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options of a chain that is forked")]
pub(crate) struct ForkArgs {
    /// Endpoint of the chain to go on from, http:// or https://, and after an @ the number of the block, if it is not the
    /// newest. Give several, and when one fails the next is asked.
    #[arg(
        long = "fork-url",
        short = 'f',
        visible_alias = "rpc-url",
        value_name = "URL[@BLOCK]",
        conflicts_with = "genesis"
    )]
    pub(crate) urls: Vec<String>,
    /// Number of the block to go on from; if it is negative, so many before the newest.
    #[arg(long, value_name = "NUMBER", requires = "urls", allow_negative_numbers = true)]
    pub(crate) fork_block_number: Option<i64>,
    /// Hash of a transaction after which to go on: the block before that of the transaction is forked, and what comes before the
    /// transaction in its block, and it, is executed again.
    #[arg(long, value_name = "HASH", requires = "urls", conflicts_with_all = ["fork_block_number", "fork_block_hash"])]
    pub(crate) fork_transaction_hash: Option<B256>,
    /// Hash that this block must have.
    #[arg(long, value_name = "HASH", requires = "urls")]
    pub(crate) fork_block_hash: Option<B256>,
    /// Chain id of the forked chain, which is then not asked for. With --fork-block-number, a chain that is in the cache is
    /// forked without asking anybody.
    #[arg(long, value_name = "ID", requires = "fork_block_number")]
    pub(crate) fork_chain_id: Option<u64>,
    /// HTTP header of every request to the endpoint, as in "Authorization: Bearer …".
    #[arg(long = "fork-header", value_name = "NAME: VALUE", requires = "urls", value_parser = header)]
    pub(crate) fork_headers: Vec<(String, String)>,
    /// File in PEM with the authorities that may vouch for the endpoint's certificate, instead of those that browsers trust.
    #[arg(long, value_name = "FILE", requires = "urls")]
    pub(crate) fork_ca: Option<PathBuf>,
    /// Milliseconds that one request to the endpoint may take.
    #[arg(long, value_name = "MILLISECONDS", requires = "urls", default_value_t = ForkSettings::TIMEOUT_MILLIS,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Further attempts after a request that the endpoint refused for its rate, or whose connection broke.
    #[arg(long, value_name = "NUMBER", requires = "urls", default_value_t = ForkSettings::RETRIES)]
    pub(crate) retries: u32,
    /// Milliseconds before the second attempt; twice as many before each further one.
    #[arg(long, value_name = "MILLISECONDS", requires = "urls", default_value_t = ForkSettings::BACKOFF_MILLIS)]
    pub(crate) fork_retry_backoff: u64,
    /// Compute units per second that the endpoint grants, by which attempts are spaced that it refused for their rate.
    #[arg(long, value_name = "UNITS", requires = "urls", conflicts_with = "no_rate_limit",
          default_value_t = ForkSettings::COMPUTE_UNITS_PER_SECOND)]
    pub(crate) compute_units_per_second: u64,
    /// Space such attempts by nothing but the backoff.
    #[arg(long, requires = "urls", visible_alias = "no-rpc-rate-limit")]
    pub(crate) no_rate_limit: bool,
    /// Refuse an endpoint that has no proofs of the block. Without it, answers are verified where it has them, and else
    /// believed.
    #[arg(long, requires = "urls", conflicts_with = "no_fork_verify")]
    pub(crate) fork_verify: bool,
    /// Believe the endpoint even where it has proofs.
    #[arg(long, requires = "urls")]
    pub(crate) no_fork_verify: bool,
    /// Keep nothing of what was read over the end of the process.
    #[arg(long, requires = "urls", conflicts_with = "fork_cache")]
    pub(crate) no_storage_caching: bool,
    /// Folder for what was read; in the folder that keeps the chain, or else the user's folder for caches, unless told
    /// otherwise.
    #[arg(long, value_name = "FOLDER", requires = "urls")]
    pub(crate) fork_cache: Option<PathBuf>,
}

/// A chain that goes on from another one.
pub(crate) struct Forked {
    pub(crate) beginning: Beginning,
    pub(crate) accounts: Vec<DevAccount>,
    pub(crate) guardian: Address,
}

impl ForkArgs {
    /// How a chain is to be forked, which is kept in a folder or not; `None` where none is.
    pub(crate) fn settings(&self, datadir: Option<&Path>) -> Option<ForkSettings> {
        let (urls, named): (Vec<_>, Vec<_>) = self.urls.iter().map(|url| url_and_block(url)).unzip();
        let block = match (self.fork_block_number, self.fork_transaction_hash, named.into_iter().flatten().next()) {
            (Some(number), ..) if number < 0 => ForkBlock::Behind(number.unsigned_abs()),
            (Some(number), ..) => ForkBlock::Number(number.unsigned_abs()),
            (None, Some(hash), _) => ForkBlock::Transaction(hash),
            (None, None, Some(named)) => ForkBlock::Number(named),
            (None, None, None) => ForkBlock::Latest,
        };
        let verify = match (self.fork_verify, self.no_fork_verify) {
            (true, _) => Verify::Always,
            (false, true) => Verify::Never,
            (false, false) => Verify::WherePossible,
        };
        let beside = datadir.map(|dir| dir.join(CACHE_FOLDER));
        let cache = self.fork_cache.clone().or(beside).or_else(default_cache_folder);
        let cache = cache.filter(|_| !self.no_storage_caching);
        (!urls.is_empty()).then(|| ForkSettings {
            urls,
            block,
            block_hash: self.fork_block_hash,
            chain_id: self.fork_chain_id,
            headers: self.fork_headers.clone(),
            ca: self.fork_ca.clone(),
            timeout: Duration::from_millis(self.timeout),
            retries: self.retries,
            backoff: Duration::from_millis(self.fork_retry_backoff),
            compute_units_per_second: (!self.no_rate_limit).then_some(self.compute_units_per_second),
            verify,
            cache,
        })
    }
}

/// Where a forked chain is kept, and what its blocks wait for.
pub(crate) type Place<'a> = (&'a Path, SyncMode);

/// Forks a chain, or goes on with one that was forked before and is kept.
pub(crate) fn fork(chain: &ChainArgs, settings: ForkSettings, place: Option<Place<'_>>) -> Result<Forked, Failure> {
    let kept = place.map(|(dir, _)| KeptFork::find(dir)).transpose()?.flatten();
    match (place, kept) {
        (Some(place), Some(kept)) => resume(chain, settings, place, kept),
        (place, _) => begin(chain, settings, place),
    }
}

/// Goes on with a chain that is kept. What the command line says of it must be what it began with.
fn resume(
    chain: &ChainArgs,
    settings: ForkSettings,
    (dir, sync): Place<'_>,
    kept: KeptFork,
) -> Result<Forked, Failure> {
    let (block, stored) = (kept.block(), kept.spec().clone());
    let other = || Failure::OtherFork { path: dir.to_owned(), number: block.number, hash: block.hash() };
    let is_named = !matches!(settings.block, ForkBlock::Number(number) if number != block.number);
    let is_its_hash = settings.block_hash.is_none_or(|hash| hash == block.hash());
    if !is_named || !is_its_hash || settings.chain_id.is_some_and(|id| id != kept.forked_id()) {
        return Err(other());
    }
    let dev = chain.genesis(block.timestamp)?;
    let began = stored.genesis();
    let given = ChainParams {
        hardfork: chain.hardfork.unwrap_or(began.hardfork),
        chain_id: chain.chain_id.unwrap_or(began.chain_id),
        block_gas_limit: chain.gas_limit.unwrap_or(began.block_gas_limit),
        deposit_contract: began.deposit_contract,
        ..dev.params
    };
    if given != *began {
        let (stored, given) = (Box::new(stored), Box::new(given.into()));
        return Err(StoreError::OtherChain { path: dir.to_owned(), stored, given }.into());
    }
    let after = match settings.block {
        ForkBlock::Transaction(hash) => Some(hash),
        ForkBlock::Latest | ForkBlock::Number(_) | ForkBlock::Behind(_) => None,
    };
    // The transaction after which it goes on has been executed again, unless the process ended before.
    let at = after.filter(|_| kept.is_new()).map_or(ForkBlock::Number(block.number), ForkBlock::Transaction);
    let (block_hash, chain_id) = (Some(block.hash()), Some(kept.forked_id()));
    let is_new = kept.is_new();
    let fork = Arc::new(Fork::begin(ForkSettings { block: at, block_hash, chain_id, ..settings })?);
    let store = kept.resume(Arc::clone(&fork) as _, sync)?;
    if let Some(hash) = after.filter(|_| !is_new)
        && store.transaction(hash)?.is_none()
    {
        return Err(other());
    }
    tracing::info!(
        "goes on at block {}, forked from block {} of chain {}",
        store.head().number(),
        block.number,
        fork.chain_id()
    );
    let accounts = dev.funded()?;
    Ok(Forked { beginning: Beginning { store, fork: Some(fork) }, guardian: accounts[0].address, accounts })
}

/// Forks a chain. What the command line leaves open is as it is there.
fn begin(chain: &ChainArgs, settings: ForkSettings, place: Option<Place<'_>>) -> Result<Forked, Failure> {
    let fork = Arc::new(Fork::begin(settings)?);
    let (header, chain_id) = (fork.header().clone(), fork.chain_id());
    // A block that is executed again follows its own rules, as what comes after it does.
    let newest = fork.repeat().map_or_else(|| header.clone(), |repeat| repeat.header.clone());
    let rules = || hardfork_of(chain_id, &newest).ok_or(ForkError::Rules { chain_id, number: newest.number });
    let hardfork = chain.hardfork.map_or_else(rules, Ok)?;
    let mut settings = DevSettings { timestamp: header.timestamp, ..chain.genesis(header.timestamp)? };
    settings.params.hardfork = hardfork;
    settings.params.chain_id = chain.chain_id.unwrap_or(chain_id);
    settings.params.block_gas_limit = chain.gas_limit.unwrap_or(header.gas_limit);
    let LookedAt { accounts, slots } = DevFork::looked_at(&settings)?;
    let slots = slots.into_iter().map(|(address, slot)| Want::Slot(address, slot));
    fork.fetch_ahead(accounts.into_iter().map(Want::Account).chain(slots))?;
    let DevFork { accounts, guardian, world } = DevFork::build(&settings, Arc::clone(&fork) as _)?;
    // Its transactions stay where they are.
    let block = StoredBlock { header: header.clone(), ..StoredBlock::genesis(header.into_inner()) };
    let spec = settings.params.into();
    let store = match place {
        Some(place) => ChainStore::forked_in(place, chain_id, spec, block, world)?,
        None => ChainStore::forked(spec, block, world),
    };
    tracing::info!(
        "forked chain {chain_id} at block {} {} by {}, answers {}",
        fork.header().number,
        fork.header().hash(),
        fork.endpoint(),
        checks(&fork)
    );
    Ok(Forked { beginning: Beginning { store, fork: Some(fork) }, accounts, guardian })
}

/// How the answers of an endpoint are treated, in words.
pub(crate) fn checks(fork: &Fork) -> &'static str {
    match fork.checks() {
        parapet_fork::Checks::Proved => "verified by proofs",
        parapet_fork::Checks::Told => "believed",
    }
}

/// How `anvil_reset` begins the chain anew: on a fork, this or another one, or on nothing.
pub(crate) fn beginner(
    chain: &ChainArgs,
    args: &ForkArgs,
    first: impl Fn() -> Result<ChainStore, Failure> + Send + Sync + 'static,
) -> Beginner {
    let (chain, args) = (chain.clone(), args.clone());
    Beginner::new(move |refork| {
        let told = |failure: Failure| match failure {
            Failure::Fork(error) => RpcError::Fork(error),
            other => RpcError::Params(other.to_string()),
        };
        let Some(Refork { url, number, now }) = refork else { return Ok(first().map_err(told)?.into()) };
        let mut settings = match (now, args.settings(None)) {
            (Some(now), _) => now,
            (None, Some(settings)) => settings,
            (None, None) => ForkSettings { cache: default_cache_folder(), ..ForkSettings::of("") },
        };
        if let Some(url) = url {
            let (url, named) = url_and_block(&url);
            settings.block = named.map_or(settings.block, ForkBlock::Number);
            settings.urls = vec![url];
            (settings.chain_id, settings.block_hash) = (None, None);
        }
        if let Some(number) = number {
            (settings.block, settings.block_hash) = (ForkBlock::Number(number), None);
        }
        Ok(fork(&chain, settings, None).map_err(told)?.beginning)
    })
}

/// `URL`, or `URL@NUMBER`.
fn url_and_block(text: &str) -> (String, Option<u64>) {
    match text.rsplit_once('@').and_then(|(url, number)| Some((url, number.parse().ok()?))) {
        Some((url, number)) => (url.to_owned(), Some(number)),
        None => (text.to_owned(), None),
    }
}

/// `NAME: VALUE`.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write \"NAME: VALUE\"")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_a_block_behind_an_at() {
        assert_eq!(
            url_and_block("http://localhost:8545@1400000"),
            ("http://localhost:8545".to_owned(), Some(1_400_000))
        );
        for url in ["http://localhost:8545", "https://me:secret@example.com/v2"] {
            assert_eq!(url_and_block(url), (url.to_owned(), None));
        }
    }

    #[test]
    fn the_block_is_the_one_that_is_named_first_by_its_own_flag() {
        let block = |url: &str, number| {
            let args = ForkArgs { urls: vec![url.to_owned()], fork_block_number: number, ..ForkArgs::default() };
            args.settings(None).map(|settings| settings.block)
        };
        assert_eq!(block("http://a", None), Some(ForkBlock::Latest));
        assert_eq!(block("http://a@5", None), Some(ForkBlock::Number(5)));
        assert_eq!(block("http://a@5", Some(7)), Some(ForkBlock::Number(7)));
        assert_eq!(block("http://a", Some(-7)), Some(ForkBlock::Behind(7)));
        let (urls, hash) = (vec!["http://a@5".to_owned()], B256::repeat_byte(7));
        let args = ForkArgs { urls, fork_transaction_hash: Some(hash), ..ForkArgs::default() };
        assert_eq!(args.settings(None).map(|settings| settings.block), Some(ForkBlock::Transaction(hash)));
        assert!(ForkArgs::default().settings(None).is_none());
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        assert_eq!(header("A-b: c: d"), Ok(("A-b".to_owned(), "c: d".to_owned())));
        assert!(header("nothing").is_err());
    }
}
