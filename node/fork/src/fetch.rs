//! What is asked for accounts and slots, and how the answers are checked.

use alloy_primitives::{Address, B256, keccak256};
use alloy_rpc_types_eth::EIP1186AccountProofResponse;
use parapet_types::AccountInfo;
use serde_json::json;

use crate::{
    Checks, Fork, ForkError, Want, answer,
    cache::{Key, KnownAccount, Value},
    client::{Call, Client},
    fork::read,
    proof,
    reply::Answer,
};

impl Fork {
    /// Asks for accounts and slots.
    pub(crate) fn fetched(&self, wanted: &[Want]) -> Result<Vec<(Key, Value)>, ForkError> {
        let client = self.client();
        let calls: Vec<_> = wanted.iter().flat_map(|want| self.calls(*want)).collect();
        let mut answers = client.batch(&calls)?.into_iter().zip(&calls);
        let mut found = Vec::new();
        for want in wanted {
            match self.checks {
                Checks::Proved => self.read_proved(&client, *want, &mut answers, &mut found)?,
                Checks::Told => self.read_told(&client, *want, &mut answers, &mut found)?,
            }
        }
        Ok(found)
    }

    fn calls(&self, want: Want) -> Vec<Call> {
        let at = &self.at;
        let of = |method, address: Address| Call { method, params: json!([address, at]) };
        match (want, self.checks) {
            (Want::Account(address), Checks::Proved) => {
                vec![Call { method: "eth_getProof", params: json!([address, [], at]) }, of("eth_getCode", address)]
            }
            (Want::Account(address), Checks::Told) => {
                ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"].map(|method| of(method, address)).into()
            }
            (Want::Slot(address, slot), Checks::Proved) => {
                vec![Call { method: "eth_getProof", params: json!([address, [B256::from(slot)], at]) }]
            }
            (Want::Slot(address, slot), Checks::Told) => {
                vec![Call { method: "eth_getStorageAt", params: json!([address, B256::from(slot), at]) }]
            }
        }
    }

    fn read_proved<'a>(
        &self,
        client: &Client,
        want: Want,
        answers: &mut impl Iterator<Item = (Answer, &'a Call)>,
        found: &mut Vec<(Key, Value)>,
    ) -> Result<(), ForkError> {
        let (address, slots) = match want {
            Want::Account(address) => (address, Vec::new()),
            Want::Slot(address, slot) => (address, vec![slot]),
        };
        let said: EIP1186AccountProofResponse = read(client, answers, answer::parse)?;
        let unproven = |reason| self.unproven(client, address.to_string(), reason);
        let proved = proof::check(&said, self.header.state_root, address, &slots).map_err(unproven)?;
        if let Want::Account(_) = want {
            let code = read(client, answers, answer::code)?;
            let (code_hash, is) = (proved.account.info.unwrap_or_default().code_hash, keccak256(&code));
            if is != code_hash {
                return Err(unproven(format!("its code has hash {is}, not {code_hash}")));
            }
            found.push((Key::Code(is), Value::Code(code)));
        }
        found.push((Key::Account(address), Value::Account(proved.account)));
        found.extend(slots.iter().zip(proved.slots).map(|(slot, is)| (Key::Slot(address, *slot), Value::Slot(is))));
        Ok(())
    }

    fn read_told<'a>(
        &self,
        client: &Client,
        want: Want,
        answers: &mut impl Iterator<Item = (Answer, &'a Call)>,
        found: &mut Vec<(Key, Value)>,
    ) -> Result<(), ForkError> {
        let address = match want {
            Want::Slot(address, slot) => {
                let value = read(client, answers, answer::word)?;
                found.push((Key::Slot(address, slot), Value::Slot(value)));
                return Ok(());
            }
            Want::Account(address) => address,
        };
        let balance = read(client, answers, answer::word)?;
        let nonce = read(client, answers, answer::number)?;
        let code = read(client, answers, answer::code)?;
        let code_hash = keccak256(&code);
        let info = AccountInfo { nonce, balance, code_hash };
        // An account with nothing is none (EIP-161).
        let info = (info != AccountInfo::default()).then_some(info);
        found.push((Key::Code(code_hash), Value::Code(code)));
        found.push((Key::Account(address), Value::Account(KnownAccount { info, has_storage: None })));
        Ok(())
    }
}
