//! Access lists that others wrote (EIP-7928): their encoding, their hashes, and what is wrong with those that are.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_eip7928::{BlockAccessList, compute_block_access_list_hash};
use alloy_primitives::{B256, U64};
use alloy_rlp::Decodable as _;
use parapet_executor::{BlockError, check_access_list};
use parapet_types::{ChainParams, ExecutionLimits, GuardParams, Hardfork};
use serde::Deserialize;
use serde_json::Value;

use crate::fixtures::suite;

const PARAMS: ChainParams = ChainParams {
    chain_id: 1,
    hardfork: Hardfork::Osaka,
    block_gas_limit: 30_000_000,
    guards: GuardParams::DEFAULT,
    deposit_contract: ChainParams::MAINNET_DEPOSITS,
    limits: ExecutionLimits::ETHEREUM,
};

#[derive(Deserialize)]
struct Test {
    blocks: Vec<Outer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outer {
    expect_exception: Option<String>,
    #[serde(rename = "rlp_decoded")]
    decoded: Option<Block>,
    #[serde(flatten)]
    block: Option<Block>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    block_header: Header,
    transactions: Vec<Value>,
    block_access_list: Option<BlockAccessList>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    gas_limit: U64,
    block_access_list_hash: Option<B256>,
}

/// Visits the text of every JSON file below a folder.
pub(crate) fn json_files(folder: &Path, visit: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            visit(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Each block's list, with the name of its test and of what is wrong with the block.
fn each_list(suite: &Path, mut look: impl FnMut(&str, Option<&str>, &Block, &BlockAccessList)) {
    json_files(suite, &mut |text| {
        let tests: BTreeMap<String, Test> = serde_json::from_str(text).unwrap();
        for (name, test) in tests {
            for Outer { expect_exception, decoded, block } in test.blocks {
                let Some(block) = block.or(decoded) else { continue };
                let Some(list) = &block.block_access_list else { continue };
                look(&name, expect_exception.as_deref(), &block, list);
            }
        }
    });
}

fn check(block: &Block, list: &BlockAccessList) -> Result<(), BlockError> {
    check_access_list(list, block.transactions.len(), block.block_header.gas_limit.to(), &PARAMS)
}

/// Whether the list itself shows that it is wrong (something is out of order, or in it twice); else only
/// the block's execution does.
fn is_malformed(name: &str) -> bool {
    const TESTS: [&str; 3] =
        ["test_bal_invalid_account", "test_bal_invalid_duplicate_entries", "test_bal_invalid_tx_order"];
    TESTS.iter().any(|test| name.contains(test))
}

#[test]
fn lists_that_others_wrote_have_our_encoding_and_our_hash() {
    let mut lists = 0;
    for name in ["eip7928-bal-v5.7.0-alpha", "eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43"] {
        let Some(folder) = suite(name) else { return };
        each_list(&folder, |test, _, block, list| {
            lists += 1;
            assert_eq!(Some(compute_block_access_list_hash(list)), block.block_header.block_access_list_hash, "{test}");
            let mut bytes = Vec::new();
            alloy_rlp::encode_list(list, &mut bytes);
            let again = BlockAccessList::decode(&mut bytes.as_slice()).unwrap();
            assert_eq!(again, *list, "{test}");
            for cut in [bytes.len() / 2, bytes.len() - 1] {
                assert!(BlockAccessList::decode(&mut &bytes[..cut]).is_err(), "{test}, cut at {cut}");
            }
        });
    }
    assert!(lists > 300, "only {lists} lists");
}

#[test]
fn malformed_lists_are_refused_and_no_others() {
    let (mut sound, mut malformed) = (0, 0);
    for name in ["eip7928-bal-v5.7.0-alpha", "eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43"] {
        let Some(folder) = suite(name) else { return };
        each_list(&folder, |test, expected, block, list| match check(block, list) {
            Ok(()) => {
                sound += 1;
                assert!(!is_malformed(test), "{test} was accepted");
            }
            Err(error) => {
                malformed += 1;
                assert!(expected.is_some() && is_malformed(test), "{test} was refused: {error}");
            }
        });
    }
    assert!(sound > 280 && malformed >= 14, "{sound} sound and {malformed} malformed lists");
}
