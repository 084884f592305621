//! A chain of a few blocks whose newest has a state: what an honest endpoint tells of it.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use parapet_fork::{ForkSettings, Verify};
use parapet_state::WorldState;
use parapet_types::{AccountChange, AccountInfo, StateChanges};
use serde_json::{Value, json};

use crate::server::{Act, Server};

pub(crate) const CHAIN_ID: u64 = 9;
/// Number of the newest block.
pub(crate) const HEAD: u64 = 40;

/// What an endpoint can do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skill {
    /// Everything.
    Proofs,
    /// Everything but proofs.
    NoProofs,
    /// Neither proofs nor several calls at once.
    OneCallAtATime,
}

pub(crate) struct Chain {
    pub(crate) world: WorldState,
    pub(crate) headers: Vec<Header>,
    skill: Skill,
}

pub(crate) fn nth(index: u64) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

impl Chain {
    pub(crate) fn new(skill: Skill) -> Arc<Self> {
        let mut changes = StateChanges::default();
        for index in 1..30 {
            let code = if index % 3 == 0 { Bytes::from(vec![u8::try_from(index).unwrap(); 40]) } else { Bytes::new() };
            let info = AccountInfo { nonce: index, balance: U256::from(index) << 100, code_hash: keccak256(&code) };
            let storage = (0..index % 7).map(|slot| (U256::from(slot), U256::from(slot * index + 1))).collect();
            changes.code.insert(info.code_hash, code);
            changes.accounts.insert(nth(index), AccountChange { info: Some(info), wipe_storage: false, storage });
        }
        let world = WorldState::of(&changes);
        let mut headers: Vec<Header> = Vec::new();
        for number in 0..=HEAD {
            let parent_hash = headers.last().map_or(B256::ZERO, Header::hash_slow);
            let state_root = world.root();
            headers.push(Header {
                number,
                parent_hash,
                state_root,
                timestamp: 1_700_000_000 + number,
                base_fee_per_gas: Some(7),
                withdrawals_root: Some(B256::ZERO),
                ..Header::default()
            });
        }
        Arc::new(Self { world, headers, skill })
    }

    /// What it answers to the body of a request.
    pub(crate) fn answer(&self, body: &[u8]) -> Vec<u8> {
        let request: Value = serde_json::from_slice(body).unwrap();
        let answer = match &request {
            Value::Array(_) if self.skill == Skill::OneCallAtATime => {
                json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": "no batches" } })
            }
            Value::Array(calls) => calls.iter().rev().map(|call| self.reply(call)).collect(),
            call => self.reply(call),
        };
        serde_json::to_vec(&answer).unwrap()
    }

    fn reply(&self, call: &Value) -> Value {
        let id = &call["id"];
        match self.call(call["method"].as_str().unwrap(), &call["params"]) {
            Some(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            None => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no such method" } }),
        }
    }

    pub(crate) fn call(&self, method: &str, params: &Value) -> Option<Value> {
        let address = || params[0].as_str().unwrap().parse::<Address>().unwrap();
        let info = || self.world.account(&address()).unwrap().unwrap_or_default();
        let slot = |value: &Value| -> U256 { value.as_str().unwrap().parse().unwrap() };
        Some(match method {
            "eth_chainId" => json!(format!("{CHAIN_ID:#x}")),
            "eth_blockNumber" => json!(format!("{HEAD:#x}")),
            "eth_getBlockByNumber" => self.block(params[0].as_str().unwrap()),
            "eth_getBalance" => json!(info().balance),
            "eth_getTransactionCount" => json!(format!("{:#x}", info().nonce)),
            "eth_getCode" => json!(self.world.code(info().code_hash).unwrap().unwrap()),
            "eth_getStorageAt" => json!(B256::from(self.world.storage(&address(), slot(&params[1])).unwrap())),
            "eth_getProof" if self.skill == Skill::Proofs => {
                let slots: Vec<_> = params[1].as_array().unwrap().iter().map(slot).collect();
                json!(self.proof(address(), &slots))
            }
            "test_echo" => params.clone(),
            _ => return None,
        })
    }

    fn block(&self, name: &str) -> Value {
        let number = name.strip_prefix("0x").map_or(HEAD, |hex| u64::from_str_radix(hex, 16).unwrap());
        let Some(header) = self.headers.get(usize::try_from(number).unwrap()) else { return Value::Null };
        let mut block = serde_json::to_value(header).unwrap();
        block["hash"] = json!(header.hash_slow());
        block["transactions"] = json!([]);
        block
    }

    pub(crate) fn proof(&self, address: Address, slots: &[U256]) -> EIP1186AccountProofResponse {
        let proof = self.world.proof(address, slots).unwrap();
        let info = proof.info.unwrap_or_default();
        let storage_proof = proof.slots.into_iter();
        EIP1186AccountProofResponse {
            address,
            balance: info.balance,
            code_hash: info.code_hash,
            nonce: info.nonce,
            storage_hash: proof.storage_root,
            account_proof: proof.nodes,
            storage_proof: storage_proof
                .map(|slot| EIP1186StorageProof::new(B256::from(slot.slot).into(), slot.value, slot.nodes))
                .collect(),
        }
    }

    /// An endpoint that does nothing else than to answer.
    pub(crate) fn honest(self: &Arc<Self>) -> Server {
        let chain = Arc::clone(self);
        Server::start(move |_, body| Act::Answer(chain.answer(body)))
    }
}

/// Settings with which a test does not take long when nobody answers.
pub(crate) fn settings(url: &str, verify: Verify) -> ForkSettings {
    ForkSettings {
        timeout: std::time::Duration::from_millis(400),
        retries: 2,
        backoff: std::time::Duration::from_millis(5),
        verify,
        ..ForkSettings::of(url)
    }
}
