//! The committed artefact, the layout read here and the generated bindings are of one contract.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::{SolCall, SolError, SolInterface};
use parapet_monitor::GuardVeto;
use parapet_registry::{contract::IGuardRegistry, genesis_account, layout};
use serde_json::Value;

fn artefact() -> Value {
    serde_json::from_str(include_str!("../../artifacts/GuardRegistry.json")).unwrap()
}

fn slots(members: &Value) -> BTreeMap<String, (U256, u64)> {
    let members = members.as_array().unwrap().iter();
    members
        .map(|member| {
            let slot = member["slot"].as_str().unwrap().parse().unwrap();
            (member["label"].as_str().unwrap().to_owned(), (slot, member["offset"].as_u64().unwrap()))
        })
        .collect()
}

fn members(of: &str) -> Value {
    let artefact = artefact();
    let types = artefact["storageLayout"]["types"].as_object().unwrap();
    let (_, found) = types.iter().find(|(name, _)| name.starts_with(&format!("t_struct({of})"))).unwrap();
    found["members"].clone()
}

#[test]
fn the_layout_is_the_compilers() {
    let contract = slots(&artefact()["storageLayout"]["storage"]);
    for (name, slot) in [
        ("head", layout::HEAD),
        ("guardian", layout::GUARDIAN),
        ("attachmentIds", layout::ATTACHMENT_IDS),
        ("attachmentById", layout::ATTACHMENTS),
        ("idsByAccount", layout::IDS_BY_ACCOUNT),
        ("moduleHashes", layout::MODULE_HASHES),
        ("moduleByHash", layout::MODULES),
        ("attachmentPositions", layout::ATTACHMENT_POSITIONS),
        ("governance", layout::GOVERNANCE),
        ("proposedGuardian", layout::PROPOSED_GUARDIAN),
        ("proposedGovernance", layout::PROPOSED_GOVERNANCE),
        ("minimum", layout::MINIMUM),
        ("confirmedAuthority", layout::CONFIRMED_AUTHORITY),
        ("deployerOf", layout::DEPLOYERS),
        ("changeKeys", layout::CHANGE_KEYS),
        ("changeByKey", layout::CHANGES),
    ] {
        assert_eq!(contract[name], (slot, 0), "{name}");
    }
    let attachment = slots(&members("Attachment"));
    for (name, slot, offset) in [
        ("module", layout::attachment::MODULE, 0),
        ("manager", layout::attachment::STANDING, 0),
        ("mode", layout::attachment::STANDING, 20),
        ("paused", layout::attachment::STANDING, 21),
        ("demoted", layout::attachment::STANDING, 22),
        ("delay", layout::attachment::STANDING, 23),
        ("revision", layout::attachment::STANDING, 27),
        ("terms", layout::attachment::TERMS, 0),
        ("proposedManager", layout::attachment::ORIGIN, 0),
        ("attachedAt", layout::attachment::ORIGIN, 20),
        ("accounts", layout::attachment::ACCOUNTS, 0),
        ("configuration", layout::attachment::CONFIGURATION, 0),
    ] {
        assert_eq!(attachment[name], (slot, offset), "Attachment.{name}");
    }
    let terms = slots(&members("Terms"));
    for (name, slot, offset) in [
        ("failure", layout::attachment::TERMS, 0),
        ("priority", layout::attachment::TERMS, 1),
        ("fuelMax", layout::attachment::TERMS, 5),
        ("demotionShare", layout::attachment::TERMS, 13),
        ("triggers", layout::attachment::TERMS, 15),
        ("escapes", layout::attachment::ESCAPES, 0),
    ] {
        assert_eq!(terms[name], (slot - layout::attachment::TERMS, offset), "Terms.{name}");
    }
    let module = slots(&members("Module"));
    for (name, slot, offset) in [
        ("uploader", layout::module::ORIGIN, 0),
        ("size", layout::module::ORIGIN, 20),
        ("registeredAt", layout::module::ORIGIN, 24),
        ("chunks", layout::module::CHUNKS, 0),
    ] {
        assert_eq!(module[name], (slot, offset), "Module.{name}");
    }
}

#[test]
fn every_function_of_the_bindings_is_in_the_artefact() {
    let artefact = artefact();
    let identifiers = artefact["methodIdentifiers"].as_object().unwrap();
    let known: Vec<&str> = identifiers.values().map(|selector| selector.as_str().unwrap()).collect();
    let bound: Vec<[u8; 4]> = IGuardRegistry::IGuardRegistryCalls::selectors().collect();
    assert!(bound.len() >= 20, "{} functions are bound", bound.len());
    for selector in bound {
        assert!(known.contains(&hex::encode(selector).as_str()), "{}", hex::encode(selector));
    }
    assert_eq!(identifiers[IGuardRegistry::attachCall::SIGNATURE], hex::encode(IGuardRegistry::attachCall::SELECTOR));
}

#[test]
fn the_contract_declares_the_veto_that_the_node_raises() {
    assert_eq!(IGuardRegistry::GuardVeto::SIGNATURE, GuardVeto::SIGNATURE);
}

#[test]
fn genesis_has_code_and_a_guardian_and_governance_and_no_history() {
    let (guardian, governance) = (Address::repeat_byte(0x42), Address::repeat_byte(0x43));
    let (code, storage) = genesis_account(guardian, governance);
    assert!(code.len() > 1_000, "{} bytes", code.len());
    let expected = [(U256::from(1), guardian), (U256::from(10), governance)];
    assert_eq!(storage, expected.map(|(slot, account)| (slot, account.into_word().into())));
}
