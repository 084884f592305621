//! Which forks the chain is in and will enter (EIP-7910), and which of its past the node keeps (`eth_capabilities`).

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_eips::{
    BlockId, eip2124::ForkHash, eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
};
use alloy_primitives::{Address, B256, FixedBytes, U64, address};
use jsonrpsee::proc_macros::rpc;
use parapet_executor::blob_params;
use parapet_simulate::PrecompileMoves;
use parapet_types::{Activation, ChainParams, ChainSpec, Hardfork};
use serde::Serialize;

use crate::{RpcError, api::Api};

/// Precompiles by the names of EIP-7910.
const PRECOMPILES: [(&str, Address); 18] = [
    ("ECREC", address!("0000000000000000000000000000000000000001")),
    ("SHA256", address!("0000000000000000000000000000000000000002")),
    ("RIPEMD160", address!("0000000000000000000000000000000000000003")),
    ("ID", address!("0000000000000000000000000000000000000004")),
    ("MODEXP", address!("0000000000000000000000000000000000000005")),
    ("BN254_ADD", address!("0000000000000000000000000000000000000006")),
    ("BN254_MUL", address!("0000000000000000000000000000000000000007")),
    ("BN254_PAIRING", address!("0000000000000000000000000000000000000008")),
    ("BLAKE2F", address!("0000000000000000000000000000000000000009")),
    ("KZG_POINT_EVALUATION", address!("000000000000000000000000000000000000000a")),
    ("BLS12_G1ADD", address!("000000000000000000000000000000000000000b")),
    ("BLS12_G1MSM", address!("000000000000000000000000000000000000000c")),
    ("BLS12_G2ADD", address!("000000000000000000000000000000000000000d")),
    ("BLS12_G2MSM", address!("000000000000000000000000000000000000000e")),
    ("BLS12_PAIRING_CHECK", address!("000000000000000000000000000000000000000f")),
    ("BLS12_MAP_FP_TO_G1", address!("0000000000000000000000000000000000000010")),
    ("BLS12_MAP_FP2_TO_G2", address!("0000000000000000000000000000000000000011")),
    ("P256VERIFY", address!("0000000000000000000000000000000000000100")),
];

/// The forks around now.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Forks {
    current: Fork,
    next: Option<Fork>,
    /// The last one that is known; absent where no other comes.
    last: Option<Fork>,
}

/// A fork's configuration (EIP-7910).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fork {
    /// Seconds since 1970; zero where it holds from genesis on.
    activation_time: u64,
    /// Absent before Cancun.
    blob_schedule: Option<Blobs>,
    chain_id: U64,
    /// EIP-6122.
    fork_id: FixedBytes<4>,
    precompiles: BTreeMap<&'static str, Address>,
    system_contracts: BTreeMap<&'static str, Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    target: u64,
    max: u64,
    base_fee_update_fraction: u128,
}

/// What the node can be asked about, as routers of requests want to know it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Capabilities {
    head: HeadBlock,
    state: Kept,
    tx: Kept,
    logs: Kept,
    receipts: Kept,
    blocks: Kept,
    stateproofs: Kept,
}

#[derive(Clone, Debug, Serialize)]
struct HeadBlock {
    number: U64,
    hash: B256,
}

/// From which block on something is kept.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    disabled: bool,
    oldest_block: U64,
}

impl Kept {
    fn since(oldest: u64) -> Self {
        Self { disabled: false, oldest_block: U64::from(oldest) }
    }
}

#[rpc(server, namespace = "eth")]
pub(crate) trait EthConfig {
    /// The configuration of the fork that the head is in, of the next one, and of the last one that is known (EIP-7910).
    #[method(name = "config")]
    fn config(&self) -> Result<Forks, RpcError>;

    /// The head, and from which block on state, proofs, blocks, transactions, receipts and logs are kept.
    #[method(name = "capabilities")]
    fn capabilities(&self) -> Result<Capabilities, RpcError>;
}

impl EthConfigServer for Api {
    fn config(&self) -> Result<Forks, RpcError> {
        let genesis = self.0.known_block(BlockId::from(self.0.chain.first()))?;
        let head = self.0.chain.head();
        Ok(forks(&self.0.chain.spec(), (genesis.hash(), &genesis.header), &head.block.header))
    }

    fn capabilities(&self) -> Result<Capabilities, RpcError> {
        let head = self.0.chain.head();
        let (all, state) = (Kept::since(0), Kept::since(self.0.chain.oldest_state()));
        Ok(Capabilities {
            head: HeadBlock { number: U64::from(head.block.number()), hash: head.block.hash() },
            state,
            tx: all,
            logs: all,
            receipts: all,
            blocks: all,
            stateproofs: state,
        })
    }
}

fn forks(spec: &ChainSpec, genesis: (B256, &Header), head: &Header) -> Forks {
    let fork = |time: u64, hardfork: Hardfork| {
        let params = ChainParams { hardfork, ..*spec.genesis() };
        let at_genesis = time <= genesis.1.timestamp;
        Fork::of(&params, if at_genesis { 0 } else { time }, fork_id(spec, genesis, time))
    };
    let timed = || {
        spec.upgrades().iter().filter_map(|upgrade| match upgrade.since {
            Activation::Time(time) => Some((time, upgrade.hardfork)),
            Activation::Block(_) => None,
        })
    };
    let since = timed().take_while(|(time, _)| *time <= head.timestamp).last().map_or(0, |(time, _)| time);
    let mut coming = timed().filter(|(time, _)| *time > head.timestamp);
    let next = coming.next();
    let last = coming.last().or(next);
    Forks {
        current: fork(since, spec.of(head).hardfork),
        next: next.map(|(time, hardfork)| fork(time, hardfork)),
        last: last.map(|(time, hardfork)| fork(time, hardfork)),
    }
}

impl Fork {
    fn of(params: &ChainParams, activation_time: u64, fork_id: FixedBytes<4>) -> Self {
        let blobs = blob_params(params.hardfork).map(|blobs| Blobs {
            target: blobs.target_blob_count,
            max: blobs.max_blob_count,
            base_fee_update_fraction: blobs.update_fraction,
        });
        let moves = PrecompileMoves::none(params.hardfork);
        let answers = |(_, address): &(&str, Address)| moves.answering(*address).is_some();
        Self {
            activation_time,
            blob_schedule: blobs,
            chain_id: U64::from(params.chain_id),
            fork_id,
            precompiles: PRECOMPILES.into_iter().filter(answers).collect(),
            system_contracts: system_contracts(params),
        }
    }
}

fn system_contracts(params: &ChainParams) -> BTreeMap<&'static str, Address> {
    let mut contracts = BTreeMap::new();
    if params.hardfork >= Hardfork::Cancun {
        contracts.insert("BEACON_ROOTS_ADDRESS", BEACON_ROOTS_ADDRESS);
    }
    if params.hardfork >= Hardfork::Prague {
        contracts.insert("CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS);
        contracts.insert("DEPOSIT_CONTRACT_ADDRESS", params.deposit_contract);
        contracts.insert("HISTORY_STORAGE_ADDRESS", HISTORY_STORAGE_ADDRESS);
        contracts.insert("WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS);
    }
    contracts
}

/// What the forks up to a time make of the genesis hash (EIP-2124, EIP-6122): those of a block's number, then those of a
/// time, each place once.
fn fork_id(spec: &ChainSpec, (genesis_hash, genesis): (B256, &Header), until: u64) -> FixedBytes<4> {
    let place = |block: bool| {
        let mut places: Vec<u64> = spec
            .upgrades()
            .iter()
            .filter_map(|upgrade| match upgrade.since {
                Activation::Block(number) => block.then_some(number),
                Activation::Time(time) => (!block && time > genesis.timestamp && time <= until).then_some(time),
            })
            .chain(spec.silent_forks().iter().copied().filter(|_| block))
            .filter(|place| *place > 0)
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    };
    let hash = ForkHash::from(genesis_hash);
    let hash = place(true).into_iter().chain(place(false)).fold(hash, |hash, place| hash + place);
    FixedBytes(hash.0)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;
    use parapet_types::{Era, GuardParams, Upgrade};

    use super::*;

    const MAINNET: B256 = b256!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");

    /// Mainnet's forks up to its second change of blob parameters.
    fn mainnet() -> ChainSpec {
        let genesis = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::ProofOfWork(Era::Homestead),
            block_gas_limit: 30_000_000,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: parapet_types::ExecutionLimits::ETHEREUM,
        };
        let block = |number, era| Upgrade { since: Activation::Block(number), hardfork: Hardfork::ProofOfWork(era) };
        let time = |time, hardfork| Upgrade { since: Activation::Time(time), hardfork };
        let upgrades = vec![
            block(2_463_000, Era::Tangerine),
            block(2_675_000, Era::Spurious),
            block(4_370_000, Era::Byzantium),
            block(7_280_000, Era::Petersburg),
            block(9_069_000, Era::Istanbul),
            block(12_244_000, Era::Berlin),
            block(12_965_000, Era::London),
            time(1_681_338_455, Hardfork::Shanghai),
            time(1_710_338_135, Hardfork::Cancun),
            time(1_746_612_311, Hardfork::Prague),
            time(1_764_798_551, Hardfork::Osaka),
            time(1_765_290_071, Hardfork::BPO1),
            time(1_767_747_671, Hardfork::BPO2),
        ];
        let silent = vec![1_150_000, 1_920_000, 9_200_000, 13_773_000, 15_050_000];
        ChainSpec::new(genesis, upgrades).expect("in order").with_silent_forks(silent).expect("few")
    }

    #[test]
    fn forks_of_mainnet_have_the_ids_that_the_proposals_give() {
        let id = |time| fork_id(&mainnet(), (MAINNET, &Header::default()), time).to_string();
        // EIP-2124 and EIP-6122, and EIP-7910's example.
        assert_eq!(id(1_681_338_455), "0xdce96c2d");
        assert_eq!(id(1_710_338_135), "0x9f3d2254");
        assert_eq!(id(1_746_612_311), "0xc376cf8b");
    }

    #[test]
    fn a_fork_that_comes_is_told_and_the_last_one_with_it() {
        let head = Header { number: 22_500_000, timestamp: 1_750_000_000, ..Header::default() };
        let told = forks(&mainnet(), (MAINNET, &Header::default()), &head);
        let time = |fork: Option<&Fork>| fork.map(|fork| fork.activation_time);
        assert_eq!(time(Some(&told.current)), Some(1_746_612_311));
        assert_eq!(time(told.next.as_ref()), Some(1_764_798_551));
        assert_eq!(time(told.last.as_ref()), Some(1_767_747_671));
        assert!(!told.current.precompiles.contains_key("P256VERIFY"));
        let next = told.next.expect("asserted above");
        assert!(next.precompiles.contains_key("P256VERIFY"));
        let late = Header { timestamp: 1_800_000_000, ..head };
        let told = forks(&mainnet(), (MAINNET, &Header::default()), &late);
        assert_eq!((told.next, told.last), (None, None));
    }
}
