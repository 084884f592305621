//! Limits that a development chain may have otherwise than Ethereum has them. They are part of the chain's rules: whoever
//! executes its blocks again needs the same.

use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use serde::{Deserialize, Serialize};

use crate::Hardfork;

/// Longest code of a contract, in bytes (EIP-170).
const CODE_BYTES_MAX: u64 = 24_576;

/// Limits that a chain has otherwise than Ethereum; `None` is as Ethereum has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecutionLimits {
    /// Longest code of a contract, in bytes; init code may be twice as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_bytes_max: Option<u64>,
    /// Highest gas limit of a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_gas_max: Option<u64>,
}

impl ExecutionLimits {
    /// Those of Ethereum.
    pub const ETHEREUM: Self = Self { code_bytes_max: None, transaction_gas_max: None };

    /// Whether they are those of Ethereum.
    #[must_use]
    pub fn are_ethereums(&self) -> bool {
        *self == Self::ETHEREUM
    }

    /// Highest gas limit of a transaction by the rules of a fork (EIP-7825); `None` where there is none.
    #[must_use]
    pub fn transaction_gas_max(&self, hardfork: Hardfork) -> Option<u64> {
        self.transaction_gas_max.or((hardfork >= Hardfork::Osaka).then_some(MAX_TX_GAS_LIMIT_OSAKA))
    }

    /// Longest init code by the rules of a fork, in bytes (EIP-3860); `None` where there is no limit.
    #[must_use]
    pub fn initcode_bytes_max(&self, hardfork: Hardfork) -> Option<u64> {
        let code = self.code_bytes_max.unwrap_or(CODE_BYTES_MAX);
        (hardfork >= Hardfork::Shanghai).then_some(code.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ethereums_limits_come_with_their_forks() {
        let limits = ExecutionLimits::ETHEREUM;
        assert_eq!(limits.transaction_gas_max(Hardfork::Prague), None);
        assert_eq!(limits.transaction_gas_max(Hardfork::Osaka), Some(16_777_216));
        assert_eq!(limits.initcode_bytes_max(Hardfork::Paris), None);
        assert_eq!(limits.initcode_bytes_max(Hardfork::Shanghai), Some(49_152));
    }

    #[test]
    fn others_are_written_down_and_hold_at_every_fork() {
        let limits = ExecutionLimits { code_bytes_max: Some(100), transaction_gas_max: Some(u64::MAX) };
        let written = serde_json::to_string(&limits).expect("plain data");
        assert_eq!(serde_json::from_str::<ExecutionLimits>(&written).ok(), Some(limits));
        assert_eq!(limits.initcode_bytes_max(Hardfork::Osaka), Some(200));
        assert_eq!(limits.transaction_gas_max(Hardfork::Osaka), Some(u64::MAX));
        assert_eq!(serde_json::to_string(&ExecutionLimits::ETHEREUM).ok().as_deref(), Some("{}"));
    }
}
