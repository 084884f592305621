//! Rules of a block of a chain elsewhere: by the schedule of chains that are known, else by what its header has.

use alloy_consensus::Header;
use parapet_types::Hardfork;

/// First timestamps of forks, oldest first, as the chains' own configurations have them (`eth-clients` on GitHub: `mainnet`,
/// `sepolia`, `holesky`, `hoodi`).
type Schedule = &'static [(u64, Hardfork)];

/// First proof-of-stake block of mainnet.
const MAINNET_MERGE_BLOCK: u64 = 15_537_394;

const MAINNET: Schedule = &[
    (0, Hardfork::Paris),
    (1_681_338_455, Hardfork::Shanghai),
    (1_710_338_135, Hardfork::Cancun),
    (1_746_612_311, Hardfork::Prague),
    (1_764_798_551, Hardfork::Osaka),
    (1_765_290_071, Hardfork::BPO1),
    (1_767_747_671, Hardfork::BPO2),
];
const SEPOLIA: Schedule = &[
    (0, Hardfork::Paris),
    (1_677_557_088, Hardfork::Shanghai),
    (1_706_655_072, Hardfork::Cancun),
    (1_741_159_776, Hardfork::Prague),
    (1_760_427_360, Hardfork::Osaka),
    (1_761_017_184, Hardfork::BPO1),
    (1_761_607_008, Hardfork::BPO2),
];
const HOLESKY: Schedule = &[
    (0, Hardfork::Paris),
    (1_696_000_704, Hardfork::Shanghai),
    (1_707_305_664, Hardfork::Cancun),
    (1_740_434_112, Hardfork::Prague),
    (1_759_308_480, Hardfork::Osaka),
    (1_759_800_000, Hardfork::BPO1),
    (1_760_389_824, Hardfork::BPO2),
];
const HOODI: Schedule = &[
    (0, Hardfork::Cancun),
    (1_742_999_832, Hardfork::Prague),
    (1_761_677_592, Hardfork::Osaka),
    (1_762_365_720, Hardfork::BPO1),
    (1_762_955_544, Hardfork::BPO2),
];

/// The rules of a block; `None` where they are older than any that a chain of this node follows. Where the chain is not
/// known, the newest rules that its header may be of.
#[must_use]
pub fn hardfork_of(chain_id: u64, header: &Header) -> Option<Hardfork> {
    if chain_id == 1 && header.number < MAINNET_MERGE_BLOCK || !header.difficulty.is_zero() {
        return None;
    }
    let schedule = match chain_id {
        1 => MAINNET,
        11_155_111 => SEPOLIA,
        17_000 => HOLESKY,
        560_048 => HOODI,
        _ => return by_fields(header),
    };
    let at = schedule.iter().rev().find(|(since, _)| *since <= header.timestamp);
    at.map(|(_, fork)| *fork)
}

fn by_fields(header: &Header) -> Option<Hardfork> {
    header.base_fee_per_gas?;
    Some(match header {
        Header { requests_hash: Some(_), .. } => Hardfork::Osaka,
        Header { parent_beacon_block_root: Some(_), .. } => Hardfork::Cancun,
        Header { withdrawals_root: Some(_), .. } => Hardfork::Shanghai,
        _ => Hardfork::Paris,
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, U256};

    use super::*;

    fn at(number: u64, timestamp: u64) -> Header {
        Header { number, timestamp, base_fee_per_gas: Some(7), ..Header::default() }
    }

    #[test]
    fn known_chains_follow_their_schedules_to_the_second() {
        for schedule in [MAINNET, SEPOLIA, HOLESKY, HOODI] {
            assert!(schedule.is_sorted() && schedule.iter().all(|(_, fork)| *fork >= Hardfork::Paris));
        }
        let number = 20_000_000;
        assert_eq!(hardfork_of(1, &at(number, 1_681_338_454)), Some(Hardfork::Paris));
        assert_eq!(hardfork_of(1, &at(number, 1_681_338_455)), Some(Hardfork::Shanghai));
        assert_eq!(hardfork_of(1, &at(number, u64::MAX)), Some(Hardfork::BPO2));
        assert_eq!(hardfork_of(560_048, &at(1, 0)), Some(Hardfork::Cancun));
    }

    #[test]
    fn blocks_from_before_the_merge_have_no_rules_here() {
        assert_eq!(hardfork_of(1, &at(MAINNET_MERGE_BLOCK - 1, 0)), None);
        assert_eq!(hardfork_of(5, &Header { difficulty: U256::from(1), ..at(1, 1) }), None);
        assert_eq!(hardfork_of(5, &Header { base_fee_per_gas: None, ..at(1, 1) }), None);
    }

    #[test]
    fn of_a_chain_that_is_not_known_the_header_tells() {
        let mut header = at(1, 1);
        assert_eq!(hardfork_of(31_337, &header), Some(Hardfork::Paris));
        header.withdrawals_root = Some(B256::ZERO);
        assert_eq!(hardfork_of(31_337, &header), Some(Hardfork::Shanghai));
        header.parent_beacon_block_root = Some(B256::ZERO);
        assert_eq!(hardfork_of(31_337, &header), Some(Hardfork::Cancun));
        header.requests_hash = Some(B256::ZERO);
        assert_eq!(hardfork_of(31_337, &header), Some(Hardfork::Osaka));
    }
}
