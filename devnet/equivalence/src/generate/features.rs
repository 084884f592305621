//! What a block may contain.

use parapet_types::Hardfork;

use crate::Random;

/// Something a block may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Feature {
    Transfers,
    HotSender,
    HotRecipient,
    HotSlots,
    LookAlikes,
    Tokens,
    BalanceReads,
    CodeReads,
    Calls,
    Creations,
    Destructions,
    Transient,
    Logs,
    Failures,
    Branches,
    Delegations,
    AccessLists,
    Blobs,
    Withdrawals,
    Poverty,
    NonceGaps,
    FullBlock,
    BusyBeneficiary,
    Watch,
    Faults,
    System,
    FullGuards,
    Deadline,
}

/// All of them with how often, in a hundred blocks, they are on.
const CHANCES: [(Feature, u64); 28] = [
    (Feature::Transfers, 60),
    (Feature::HotSender, 30),
    (Feature::HotRecipient, 30),
    (Feature::HotSlots, 60),
    (Feature::LookAlikes, 40),
    (Feature::Tokens, 40),
    (Feature::BalanceReads, 60),
    (Feature::CodeReads, 50),
    (Feature::Calls, 60),
    (Feature::Creations, 50),
    (Feature::Destructions, 50),
    (Feature::Transient, 30),
    (Feature::Logs, 40),
    (Feature::Failures, 40),
    (Feature::Branches, 60),
    (Feature::Delegations, 50),
    (Feature::AccessLists, 30),
    (Feature::Blobs, 15),
    (Feature::Withdrawals, 30),
    (Feature::Poverty, 50),
    (Feature::NonceGaps, 30),
    (Feature::FullBlock, 20),
    (Feature::BusyBeneficiary, 50),
    (Feature::Watch, 50),
    (Feature::Faults, 60),
    (Feature::System, 25),
    (Feature::FullGuards, 30),
    (Feature::Deadline, 10),
];

/// Those that are on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features(u32);

impl Features {
    /// Draws them. What the fork does not have is on seldom: there it is an invalid opcode or transaction.
    pub(super) fn draw(random: &mut Random, hardfork: Hardfork) -> Self {
        let on = CHANCES.into_iter().filter(|(feature, chance)| {
            let known = match feature {
                Feature::Transient | Feature::Blobs => hardfork >= Hardfork::Cancun,
                Feature::Delegations => hardfork >= Hardfork::Prague,
                _ => true,
            };
            random.percent(if known { *chance } else { chance / 10 })
        });
        Self(on.fold(0, |bits, (feature, _)| bits | 1 << feature as u8))
    }

    pub(super) const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }
}
