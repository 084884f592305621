//! Revert data in words.

use alloy_primitives::{Bytes, hex};
use alloy_sol_types::{Panic, Revert, SolError as _, SolInterface as _};
use parapet_monitor::{Veto, detail_text};
use parapet_registry::{
    REGISTRY_ADDRESS,
    contract::IGuardRegistry::{self as registry, IGuardRegistryErrors as Errors},
};

/// Revert data in the `data` member of a JSON-RPC error: a hex string, or an object that holds one as `data`.
pub(super) fn data_in(json: &str) -> Option<Bytes> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let text = value.as_str().or_else(|| value.get("data")?.as_str())?;
    hex::decode(text).ok().map(Bytes::from)
}

/// What revert data says; `None` when it is of an unknown kind.
pub(super) fn explain(data: &[u8]) -> Option<String> {
    if let Some(veto) = Veto::from_output(data) {
        return Some(veto_words(&veto));
    }
    if let Ok(error) = Errors::abi_decode(data) {
        return Some(words(&error));
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        return Some(revert.reason);
    }
    Panic::abi_decode(data).ok().map(|panic| panic.to_string())
}

/// The registry's own refusals are told without an attachment's id: the one that was to be made never was.
fn veto_words(Veto { guard, attachment, code, detail }: &Veto) -> String {
    let detail = detail_text(detail);
    if *guard == REGISTRY_ADDRESS {
        format!("{detail} (code {code})")
    } else {
        format!("guard {guard} vetoed it with code {code}: {detail} (attachment {attachment})")
    }
}

fn words(error: &Errors) -> String {
    match error {
        Errors::GuardVeto(e) => {
            let registry::GuardVeto { guard, attachment, code, detail } = e.clone();
            veto_words(&Veto { guard, attachment, code, detail })
        }
        Errors::ChunkIndexOutOfOrder(e) => {
            format!("chunk {} of module {} came before chunk {}", e.index, e.module, e.next)
        }
        Errors::ChunkIndexTooLarge(e) => format!("there is no chunk {}; the last is {}", e.index, e.indexMax),
        Errors::ChunkSizeOutOfRange(e) => format!("a chunk of {} bytes; it has 1 to {}", e.size, e.sizeMax),
        Errors::ChunkNotStored(e) => {
            format!("chunk {} of module {} could not be stored; give the transaction more gas", e.index, e.module)
        }
        Errors::UploadMissing(e) => {
            format!("{} has uploaded nothing of module {}; deploy it again", e.uploader, e.module)
        }
        Errors::ModuleTooLarge(e) => format!("the module has {} bytes, at most {} are taken", e.size, e.sizeMax),
        Errors::ModuleHashMismatch(e) => {
            format!("the uploaded chunks hash to {}, not to {}; deploy the module again", e.actual, e.expected)
        }
        Errors::UnknownModule(e) => format!("module {} is not registered; deploy it first", e.module),
        Errors::UnknownAttachment(e) => {
            format!("there is no attachment {}; `parapet guard list` shows those there are", e.attachment)
        }
        Errors::AccountCountOutOfRange(e) => format!("{} accounts; an attachment has 1 to {}", e.count, e.countMax),
        Errors::DuplicateAccount(e) => format!("account {} is named twice", e.account),
        Errors::AttachmentsOfAccountFull(e) => {
            format!("account {} has {} attachments already, the most there may be", e.account, e.countMax)
        }
        Errors::ConfigurationTooLarge(e) => {
            format!("the parameters take {} bytes, at most {} are taken; shorten the lists", e.size, e.sizeMax)
        }
        Errors::FuelTooLarge(e) => format!("{} fuel; at most {} may be given", e.fuel, e.fuelMax),
        Errors::ModeMissing(_) => "no mode was given; it is shadow or enforce".to_owned(),
        Errors::ShareTooLarge(e) => format!("a share of {} basis points; {} is the whole", e.share, e.shareMax),
        Errors::TooManyEscapes(e) => format!("{} escape selectors, at most {} are taken", e.count, e.countMax),
        Errors::DelayTooLong(e) => format!("a delay of {} seconds; at most {} may be declared", e.delay, e.delayMax),
        other => entitlement(other),
    }
}

/// Why someone may not do something, or not yet.
fn entitlement(error: &Errors) -> String {
    match error {
        Errors::NoAuthority(e) => format!(
            "{} has no authority over {}: only the account itself, its proxy's admin, its owner() or who holds its default \
             admin role may do this, and its deployer if it has none of these and that was proved",
            e.who, e.account
        ),
        Errors::AuthorityNotConfirmed(e) => format!(
            "account {} has changed hands; who owns it now must confirm that (confirmAuthority) before guards are added",
            e.account
        ),
        Errors::AdminUnreadable(e) => {
            format!("the node does not tell the admin of {}: it is no Parapet node", e.account)
        }
        Errors::NotDeployer(e) => format!("{} did not create {} with these", e.sender, e.account),
        Errors::GasTooLow(e) => format!("too little gas: an account may use {} to answer; give it more", e.gasNeeded),
        Errors::NotGuardian(e) => format!("{} is not the chain's guardian, who alone may do this", e.sender),
        Errors::NotGovernance(e) => format!("{} does not govern this chain; only who does may do this", e.who),
        Errors::NotSystem(e) => format!("{} is not the chain itself, which alone may do this", e.sender),
        Errors::NotProposed(e) => format!("the office was not offered to {}", e.sender),
        Errors::NotEntitled(e) => format!(
            "{} may not cancel that: the guardian may, the manager, and who has authority over an account of it",
            e.sender
        ),
        Errors::NoPendingChange(_) => "no such change waits".to_owned(),
        Errors::ChangeNotReady(e) => format!("the change waits until the block time {}", e.readyAt),
        Errors::ChangeLapsed(e) => format!("the change lapsed at the block time {}; propose it again", e.lapsedAt),
        _ => format!("{error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};
    use parapet_registry::contract::IGuardRegistry::NoAuthority;

    use super::*;

    #[test]
    fn names_who_lacks_authority_over_what() {
        let (account, who) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let text = explain(&NoAuthority { account, who }.abi_encode());
        assert!(text.is_some_and(|text| text.contains(&account.to_string()) && text.contains(&who.to_string())));
    }

    #[test]
    fn tells_a_veto_with_the_guards_own_words() {
        let veto = Veto {
            guard: Address::ZERO,
            attachment: B256::repeat_byte(7),
            code: 3,
            detail: Bytes::from_static(b"window_seconds is 0"),
        };
        let text = explain(&veto.output());
        assert!(text.is_some_and(|text| text.contains("code 3: window_seconds is 0")));
        let refusal = Veto { guard: REGISTRY_ADDRESS, ..veto };
        assert_eq!(explain(&refusal.output()).as_deref(), Some("window_seconds is 0 (code 3)"));
    }

    #[test]
    fn reads_solidity_reasons_and_leaves_the_rest_to_the_node() {
        assert_eq!(explain(&Revert::from("no").abi_encode()).as_deref(), Some("no"));
        assert_eq!(explain(&[1, 2, 3, 4]), None);
        assert_eq!(explain(&[]), None);
    }

    #[test]
    fn finds_data_as_nodes_write_it() {
        assert_eq!(data_in("\"0x0102\""), Some(Bytes::from_static(&[1, 2])));
        assert_eq!(data_in("{\"data\":\"0x0102\"}"), Some(Bytes::from_static(&[1, 2])));
        assert_eq!(data_in("{\"data\":7}"), None);
        assert_eq!(data_in("\"text\""), None);
    }
}
