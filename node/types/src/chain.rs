//! Parameters of a chain, fixed at genesis.

use std::num::NonZeroU64;

use alloy_eips::{eip6110, eip7892};
use alloy_primitives::Address;
use parapet_monitor::Fuel;
use serde::{Deserialize, Serialize};

use crate::ExecutionLimits;

/// Blob parameters of a fork that changes nothing else (EIP-7892).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobSchedule {
    /// Blobs per block that leave the blob base fee as it is.
    pub target: u32,
    /// Most blobs per block.
    pub max: u32,
    /// How slowly the blob base fee follows the excess of blob gas (EIP-4844).
    pub base_fee_update_fraction: u64,
}

/// Rules from before the merge, as far back as the EVM has them with EIP-2's signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// DELEGATECALL, costlier creations (EIP-7, EIP-2).
    Homestead,
    /// Costlier state accesses, 63/64 of the gas for calls (EIP-150).
    Tangerine,
    /// Chain ids in signatures, empty accounts are none (EIP-155, EIP-161).
    Spurious,
    /// Receipts with a status, REVERT (EIP-658, EIP-140).
    Byzantium,
    /// CREATE2, EXTCODEHASH (EIP-1014, EIP-1052).
    Petersburg,
    /// CHAINID, other storage prices (EIP-1344, EIP-2200).
    Istanbul,
    /// Access lists (EIP-2929, EIP-2930).
    Berlin,
    /// Base fee (EIP-1559).
    London,
}

impl Era {
    /// What a block pays its miner, in gwei (yellow paper, 11.3; EIP-649, EIP-1234).
    #[must_use]
    pub const fn reward_gwei(self) -> u64 {
        match self {
            Self::Homestead | Self::Tangerine | Self::Spurious => 5_000_000_000,
            Self::Byzantium => 3_000_000_000,
            Self::Petersburg | Self::Istanbul | Self::Berlin | Self::London => 2_000_000_000,
        }
    }
}

/// A fork whose rules blocks follow from genesis on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hardfork {
    /// A fork from before the merge: for blocks of the past that are executed once more, and chains that began with it. No
    /// block is built by its rules, and no flag can name it.
    ProofOfWork(Era),
    /// The merge: proof of stake, PREVRANDAO.
    Paris,
    /// Withdrawals, PUSH0.
    Shanghai,
    /// Blobs, transient storage, beacon roots in the EVM.
    Cancun,
    /// EIP-7702, block hashes in state, requests.
    Prague,
    /// Transaction gas cap (EIP-7825), CLZ, block size cap.
    #[default]
    Osaka,
    /// Osaka with other blob parameters (EIP-7892).
    Bpo(BlobSchedule),
    /// Block-level access lists, another gas schedule. Not final, and no chain's: for conformance alone, as far as revm
    /// has it. No setting can name it.
    #[serde(skip)]
    Amsterdam,
}

impl Hardfork {
    /// The first fork whose receipts have a status; before it they hold the state root after their transaction (EIP-658).
    pub const BYZANTIUM: Self = Self::ProofOfWork(Era::Byzantium);

    /// The first fork whose signatures may hold a chain id, and in whose state no account is empty (EIP-155, EIP-161).
    pub const SPURIOUS: Self = Self::ProofOfWork(Era::Spurious);

    /// The first fork with a base fee.
    pub const LONDON: Self = Self::ProofOfWork(Era::London);

    /// The first change of blob parameters on mainnet.
    pub const BPO1: Self = Self::Bpo(BlobSchedule {
        target: eip7892::BPO1_TARGET_BLOBS_PER_BLOCK as u32,
        max: eip7892::BPO1_MAX_BLOBS_PER_BLOCK as u32,
        base_fee_update_fraction: eip7892::BPO1_BASE_UPDATE_FRACTION,
    });

    /// The second change of blob parameters on mainnet.
    pub const BPO2: Self = Self::Bpo(BlobSchedule {
        target: eip7892::BPO2_TARGET_BLOBS_PER_BLOCK as u32,
        max: eip7892::BPO2_MAX_BLOBS_PER_BLOCK as u32,
        base_fee_update_fraction: eip7892::BPO2_BASE_UPDATE_FRACTION,
    });

    /// Every final fork with rules of its own, oldest first.
    pub const ALL: [Self; 5] = [Self::Paris, Self::Shanghai, Self::Cancun, Self::Prague, Self::Osaka];

    /// Its name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProofOfWork(Era::Homestead) => "homestead",
            Self::ProofOfWork(Era::Tangerine) => "tangerine",
            Self::ProofOfWork(Era::Spurious) => "spurious",
            Self::ProofOfWork(Era::Byzantium) => "byzantium",
            Self::ProofOfWork(Era::Petersburg) => "petersburg",
            Self::ProofOfWork(Era::Istanbul) => "istanbul",
            Self::ProofOfWork(Era::Berlin) => "berlin",
            Self::ProofOfWork(Era::London) => "london",
            Self::Paris => "paris",
            Self::Shanghai => "shanghai",
            Self::Cancun => "cancun",
            Self::Prague => "prague",
            Self::Osaka => "osaka",
            Self::BPO1 => "bpo1",
            Self::BPO2 => "bpo2",
            Self::Bpo(_) => "bpo",
            Self::Amsterdam => "amsterdam",
        }
    }
}

impl std::fmt::Display for Hardfork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A fork's name that is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown hardfork {0:?}; blocks are built by paris, shanghai, cancun, prague, osaka, bpo1, bpo2, and latest is osaka"
)]
pub struct UnknownHardfork(String);

impl std::str::FromStr for Hardfork {
    type Err = UnknownHardfork;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let name_in_lower_case = name.to_ascii_lowercase();
        match name_in_lower_case.as_str() {
            "merge" => Ok(Self::Paris),
            "latest" => Ok(Self::default()),
            "bpo1" => Ok(Self::BPO1),
            "bpo2" => Ok(Self::BPO2),
            wanted => {
                Self::ALL.into_iter().find(|fork| fork.name() == wanted).ok_or_else(|| UnknownHardfork(name.to_owned()))
            }
        }
    }
}

/// Parameters of a block of a chain. All but the fork are the same for every block; which fork it is, [`ChainSpec`] knows.
///
/// [`ChainSpec`]: crate::ChainSpec
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainParams {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The block's rules.
    pub hardfork: Hardfork,
    /// Gas limit of every block.
    pub block_gas_limit: u64,
    /// How guards are paid for, and how much of them a block holds.
    pub guards: GuardParams,
    /// The contract whose logs are deposits to the beacon chain (EIP-6110).
    #[serde(default = "mainnet_deposits", skip_serializing_if = "is_mainnets")]
    pub deposit_contract: Address,
    /// Limits that Ethereum has otherwise.
    #[serde(default, skip_serializing_if = "ExecutionLimits::are_ethereums")]
    pub limits: ExecutionLimits,
}

impl ChainParams {
    /// The deposit contract of a chain that names no other: mainnet's.
    pub const MAINNET_DEPOSITS: Address = eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
}

const fn mainnet_deposits() -> Address {
    ChainParams::MAINNET_DEPOSITS
}

fn is_mainnets(contract: &Address) -> bool {
    *contract == ChainParams::MAINNET_DEPOSITS
}

/// How guards are paid for, and how much of them a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardParams {
    /// Fuel that one gas pays for.
    pub fuel_per_gas: FuelPerGas,
    /// Most fuel that guards may spend in one block, those of transactions to the registry not counted.
    pub block_fuel_max: Fuel,
}

impl GuardParams {
    /// Those of a chain that sets no others.
    pub const DEFAULT: Self = Self { fuel_per_gas: FuelPerGas::DEFAULT, block_fuel_max: BLOCK_FUEL_MAX };
}

impl Default for GuardParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Most fuel of a block's guards on a chain that sets no other limit. At the worst rate that `make bench-guards`, part
/// `prices`, has found, 1.12 ns for a fuel, it is 0.22 seconds of one core; at that of ordinary operators, below 0.05.
pub const BLOCK_FUEL_MAX: Fuel = Fuel(200_000_000);

/// Fuel that one gas pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FuelPerGas(pub NonZeroU64);

impl FuelPerGas {
    /// On a chain that sets no other ratio, drawn from the table of `make bench-guards`, part `prices`: a gas buys at most
    /// 4.5 ns of a guard's work, half of the 9.05 ns that a gas buys of the EVM's dearest.
    pub const DEFAULT: Self = Self(NonZeroU64::new(4).expect("it is above zero"));

    /// What fuel costs, rounded up.
    #[must_use]
    pub const fn gas(self, fuel: Fuel) -> u64 {
        fuel.0.div_ceil(self.0.get())
    }

    /// What gas pays for. `gas(fuel) <= have` exactly where `fuel <= fuel(have)`.
    #[must_use]
    pub const fn fuel(self, gas: u64) -> Fuel {
        Fuel(gas.saturating_mul(self.0.get()))
    }
}

impl std::fmt::Display for FuelPerGas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for FuelPerGas {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forks_are_ordered_and_blob_forks_come_after_osaka() {
        assert!(Hardfork::ALL.is_sorted());
        assert!(Hardfork::BPO1 > Hardfork::Osaka && Hardfork::BPO2 > Hardfork::BPO1);
        let small = Hardfork::Bpo(BlobSchedule { target: 0, max: 1, base_fee_update_fraction: 1 });
        assert!(small > Hardfork::Osaka);
        assert!(Hardfork::ALL.iter().all(|fork| *fork > Hardfork::LONDON));
    }

    #[test]
    fn gas_for_fuel_is_rounded_up_and_agrees_with_fuel_for_gas() {
        let ratio = FuelPerGas(NonZeroU64::new(7).expect("not zero"));
        for fuel in 0..100 {
            for gas in 0..20 {
                assert_eq!(ratio.gas(Fuel(fuel)) <= gas, Fuel(fuel) <= ratio.fuel(gas), "{fuel} fuel, {gas} gas");
            }
        }
        assert_eq!(ratio.fuel(u64::MAX), Fuel(u64::MAX));
    }

    #[test]
    fn every_fork_is_found_by_its_name() {
        for fork in Hardfork::ALL {
            assert_eq!(fork.name().to_uppercase().parse::<Hardfork>().ok(), Some(fork));
        }
        assert_eq!("merge".parse::<Hardfork>().ok(), Some(Hardfork::Paris));
        assert_eq!("latest".parse::<Hardfork>().ok(), Some(Hardfork::Osaka));
        assert_eq!("BPO2".parse::<Hardfork>().ok(), Some(Hardfork::BPO2));
        assert!("bpo".parse::<Hardfork>().is_err(), "its parameters are not in its name");
        for other in [Hardfork::LONDON, Hardfork::Amsterdam] {
            assert!(other.name().parse::<Hardfork>().is_err(), "no flag can name it");
        }
        assert!(serde_json::to_string(&Hardfork::Amsterdam).is_err(), "no chain follows it");
    }
}
