//! `parapet guard deploy`: vets a module, uploads what the chain does not have, registers it.

use alloy_primitives::{B256, Bytes, U256};
use alloy_rpc_types_eth::TransactionReceipt;
use parapet_registry::{CHUNK_BYTES_MAX, contract::IGuardRegistry as registry};
use serde_json::{Value, json};

use crate::{
    CliError, DeployArgs, Report,
    module::Module,
    node::Client,
    report::{grouped, progress},
};

/// What a deployment has cost.
#[derive(Default)]
struct Spent {
    gas: u64,
    transactions: Vec<B256>,
}

impl Spent {
    fn add(&mut self, receipt: &TransactionReceipt) {
        self.gas += receipt.gas_used;
        self.transactions.push(receipt.transaction_hash);
    }
}

pub(crate) async fn run(args: &DeployArgs) -> Result<Report, CliError> {
    let module = Module::open(&args.module)?;
    progress(&format!("{} {} vetted: {}", module.descriptor.name, module.descriptor.version, module.hash));
    let client = Client::connect(&args.signer).await?;
    if registered(&client, module.hash).await? {
        return Ok(report(&module, &Spent::default(), "it was registered already"));
    }
    let mut spent = Spent::default();
    upload(&client, &module, &mut spent).await?;
    progress("registering");
    spent.add(&client.send("registering the module", &registry::registerModuleCall { module: module.hash }).await?);
    Ok(report(&module, &spent, "registered"))
}

/// Whether the chain has a module.
pub(crate) async fn registered(client: &Client, module: B256) -> Result<bool, CliError> {
    match client.node.read("looking for the module", &registry::moduleInfoCall { module }).await {
        Ok(_) => Ok(true),
        Err(CliError::Refused { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn upload(client: &Client, module: &Module, spent: &mut Spent) -> Result<(), CliError> {
    let uploaded = registry::uploadedChunksCall { uploader: client.address, module: module.hash };
    let uploaded = client.node.read("looking for uploaded chunks", &uploaded).await?;
    let chunk_bytes = usize::try_from(CHUNK_BYTES_MAX).expect("24,575 fits");
    let chunks = module.wasm.chunks(chunk_bytes);
    let count = chunks.len();
    for (index, chunk) in chunks.enumerate() {
        if let Some(there) = uploaded.get(index)
            && is_chunk(&client.node.code(*there).await?, chunk)
        {
            progress(&format!("chunk {} of {count}: there already", index + 1));
            continue;
        }
        progress(&format!("chunk {} of {count}: uploading {} bytes", index + 1, grouped(chunk.len() as u64)));
        let call = registry::uploadChunkCall {
            module: module.hash,
            index: U256::from(index),
            chunk: Bytes::copy_from_slice(chunk),
        };
        spent.add(&client.send("uploading a chunk", &call).await?);
    }
    Ok(())
}

/// A data contract is a zero byte, which makes it inert, and the chunk.
fn is_chunk(code: &[u8], chunk: &[u8]) -> bool {
    code.split_first().is_some_and(|(first, rest)| *first == 0 && rest == chunk)
}

fn report(module: &Module, spent: &Spent, outcome: &str) -> Report {
    let text = format!(
        "{}\n{outcome}, with {} transactions and {} gas\nattach it: parapet guard attach {} --account 0x…",
        module.text(),
        spent.transactions.len(),
        grouped(spent.gas),
        module.hash,
    );
    let mut json = module.json();
    json["outcome"] = Value::from(outcome);
    json["gasUsed"] = Value::from(spent.gas);
    json["transactions"] = json!(spent.transactions);
    Report { text, json }
}

#[cfg(test)]
mod tests {
    use super::is_chunk;

    #[test]
    fn a_chunk_is_recognised_by_its_bytes_behind_a_zero() {
        assert!(is_chunk(&[0, 1, 2], &[1, 2]));
        assert!(!is_chunk(&[0, 1, 2, 3], &[1, 2]));
        assert!(!is_chunk(&[1, 1, 2], &[1, 2]));
        assert!(!is_chunk(&[], &[]));
    }
}
