//! What waits in the pool outlives the process, blobs included.

use alloy_consensus::{SidecarBuilder, SimpleCoder};
use alloy_network::{TransactionBuilder as _, TransactionBuilder4844 as _};
use alloy_primitives::{Address, U256};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;
use serde_json::Value;

use crate::process::Node;

/// Account 0 sends what has blobs, account 1 what has none: nobody waits with both.
const OTHER: usize = 1;

async fn ask(provider: &DynProvider, method: &'static str, params: Value) -> Value {
    provider.raw_request(method.into(), params).await.unwrap()
}

#[tokio::test]
async fn a_transaction_with_blobs_waits_again_when_the_node_was_killed_and_can_be_mined() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--no-mining", "--datadir", folder.path().to_str().unwrap()];
    let node = Node::start(&args);
    let provider = node.provider();
    let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_7594().unwrap();
    let blobs = TransactionRequest::default()
        .with_to(Address::repeat_byte(0x42))
        .with_max_fee_per_blob_gas(1_000_000_000)
        .with_blob_sidecar_7594(sidecar);
    let with_blobs = *provider.send_transaction(blobs).await.unwrap().tx_hash();
    let sender = node.ready["accounts"][OTHER]["address"].clone();
    let plain = serde_json::json!([{ "from": sender, "to": Address::repeat_byte(0x43), "value": "0x1" }]);
    ask(&provider, "eth_sendTransaction", plain).await;
    node.stop("-KILL");

    let node = Node::start(&args);
    let provider = node.provider();
    let waiting = ask(&provider, "txpool_status", serde_json::json!([])).await;
    assert_eq!(waiting["pending"], "0x2");
    ask(&provider, "evm_mine", serde_json::json!([])).await;
    let receipt = provider.get_transaction_receipt(with_blobs).await.unwrap().unwrap();
    assert!(receipt.status() && receipt.blob_gas_used.is_some());
    assert_eq!(provider.get_balance(Address::repeat_byte(0x43)).await.unwrap(), U256::from(1));
}
