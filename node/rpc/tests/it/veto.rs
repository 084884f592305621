//! What clients see of a veto.

use std::{sync::Arc, time::Duration};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::{eip2718::Encodable2718 as _, eip2935::HISTORY_STORAGE_ADDRESS};
use alloy_primitives::{Address, B256, Bytes};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync as _;
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_builder::Settings;
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Fuel, Hook, Judgement, Judging, Mode, Monitor, Outcome, StateView,
    Subscriptions, Trace, Verdict, Veto,
};
use parapet_rpc::{Limits, Screening};
use serde_json::{Value, json};

use crate::fixture::Dev;

const GUARDED: Address = Address::repeat_byte(0x60);
const ATTACHMENT: B256 = B256::repeat_byte(0xaa);
const GUARD: Address = Address::repeat_byte(0xbb);

/// Vetoes every transaction to one account, and whatever the chain itself does.
struct Closed;

impl Monitor for Closed {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let guarded = context.target.bytes == GUARDED.0 || context.tx_type == TX_TYPE_CHAIN;
        Ok(guarded.then(|| Box::new(Refusing) as Box<dyn Judging>))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

struct Refusing;

impl Judging for Refusing {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::NONE
    }

    fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Veto(veto()))
    }

    fn close(self: Box<Self>) -> Judgement {
        let Veto { attachment, code, detail, .. } = veto();
        let verdict = Verdict {
            attachment,
            module: B256::repeat_byte(0xcc),
            guard: "closed".into(),
            mode: Mode::Enforce,
            outcome: Outcome::Veto,
            hook: Some(Hook::OnTx),
            frame: None,
            code,
            detail,
            fuel: Fuel(5),
            elapsed_ns: 1,
            origin: Default::default(),
        };
        Judgement { verdicts: vec![verdict], ..Judgement::default() }
    }
}

fn veto() -> Veto {
    Veto { guard: GUARD, attachment: ATTACHMENT, code: 7, detail: Bytes::from_static(b"not today") }
}

async fn guarded() -> Dev {
    Dev::with(Settings::default(), Limits::default(), Arc::new(Closed)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn simulations_are_refused_with_code_3_the_data_and_the_reason() {
    let dev = guarded().await;
    let expected = format!("execution reverted: vetoed by guard closed (attachment {ATTACHMENT}, code 7): not today");
    for method in ["eth_call", "eth_estimateGas"] {
        let refused = dev.ask(method, json!([{"from": dev.address(0), "to": GUARDED}])).await.unwrap_err();
        assert_eq!((refused.code, &refused.message), (3, &expected), "{method}");
        assert_eq!(refused.data, Some(json!(veto().output())));
    }
    let free = dev.ask("eth_call", json!([{"from": dev.address(0), "to": dev.address(1)}])).await.unwrap();
    assert_eq!(free, "0x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vetoed_transaction_is_mined_with_status_0_and_says_whose_veto_it_was() {
    let dev = guarded().await;
    let request = TransactionRequest::default().to(GUARDED).gas_limit(100_000);
    let receipt = dev.wallet(0).send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert!(!receipt.status());
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 1);
    assert!(receipt.gas_used >= 21_000);

    let json = dev.ask("eth_getTransactionReceipt", json!([receipt.transaction_hash])).await.unwrap();
    assert_eq!(json["status"], "0x0");
    let expected = json!({
        "guard": GUARD, "attachment": ATTACHMENT, "code": 7, "name": "closed",
        "detail": Bytes::from_static(b"not today"), "reason": "not today",
    });
    assert_eq!(json["guardVeto"], expected);
    assert_eq!(dev.ask("eth_getBlockReceipts", json!(["latest"])).await.unwrap()[0]["guardVeto"], expected);

    let verdicts = dev.ask("guard_getVerdicts", json!([receipt.transaction_hash])).await.unwrap();
    assert_eq!((&verdicts[0]["guard"], &verdicts[0]["outcome"]), (&json!("closed"), &json!("veto")));
    let free = dev.transfer().await;
    let json = dev.ask("eth_getTransactionReceipt", json!([free.transaction_hash])).await.unwrap();
    assert_eq!(json.get("guardVeto"), None::<&Value>);
    assert_eq!(dev.ask("guard_getVerdicts", json!([free.transaction_hash])).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_tells_verdicts_without_failing() {
    let dev = guarded().await;
    let result = dev.ask("guard_simulate", json!([{"from": dev.address(0), "to": GUARDED}, "latest"])).await.unwrap();
    assert_eq!(result["destiny"]["kind"], "vetoed");
    assert_eq!(result["output"], json!(veto().output()));
    assert_eq!(result["verdicts"][0]["code"], 7);
    let result = dev.ask("guard_simulate", json!([{"to": dev.address(1)}])).await.unwrap();
    assert_eq!((&result["destiny"]["kind"], &result["verdicts"]), (&json!("succeeded"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_of_a_block_name_transactions_and_what_the_chain_did_itself() {
    let dev = guarded().await;
    let request = TransactionRequest::default().to(GUARDED).gas_limit(100_000);
    let vetoed = dev.wallet(0).send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    let head = dev.ask("guard_getBlockVerdicts", json!([])).await.unwrap();
    for id in [json!("latest"), json!("0x1"), json!({ "blockHash": vetoed.block_hash })] {
        assert_eq!(dev.ask("guard_getBlockVerdicts", json!([id])).await.unwrap(), head);
    }
    assert_eq!((&head["blockNumber"], &head["blockHash"]), (&json!("0x1"), &json!(vetoed.block_hash)));
    let transactions = head["transactions"].as_array().unwrap();
    assert_eq!(transactions.len(), 1);
    assert_eq!(transactions[0]["transactionHash"], json!(vetoed.transaction_hash));
    assert_eq!(transactions[0]["verdicts"][0]["outcome"], "veto");
    let acts = head["chainActs"].as_array().unwrap();
    let called = |act: &Value| act["act"] == json!({ "kind": "systemCall", "target": HISTORY_STORAGE_ADDRESS });
    assert!(acts.iter().any(called), "{acts:?}");
    assert!(acts.iter().all(|act| act["verdicts"][0]["guard"] == "closed"), "{acts:?}");
    assert_eq!(dev.ask("guard_getBlockVerdicts", json!(["0x7"])).await.unwrap(), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_of_an_attachment_are_found_by_range_and_bounded() {
    let limits = Limits { log_blocks_max: 4, verdicts_max: 12, ..Limits::default() };
    let dev = Dev::with(Settings::default(), limits, Arc::new(Closed)).await;
    for _ in 0..2 {
        dev.transfer().await;
    }
    let ask = async |query: Value| dev.ask("guard_getAttachmentVerdicts", json!([query])).await;
    let all = ask(json!({ "attachment": ATTACHMENT, "fromBlock": "earliest" })).await.unwrap();
    let numbers: Vec<_> = all.as_array().unwrap().iter().map(|block| &block["blockNumber"]).collect();
    assert_eq!(numbers, ["0x1", "0x2"], "nothing was said of the transfers, and nothing in genesis");
    let newest = ask(json!({ "attachment": ATTACHMENT })).await.unwrap();
    assert_eq!(newest.as_array().unwrap(), &all.as_array().unwrap()[1..]);
    let other = ask(json!({ "attachment": GUARDED.into_word(), "fromBlock": "0x0" })).await.unwrap();
    assert_eq!(other, json!([]));
    let wrong = [
        json!({ "attachment": ATTACHMENT, "fromBlock": "0x0", "toBlock": "0x9" }),
        json!({ "attachment": ATTACHMENT, "fromBlock": "0x2", "toBlock": "0x1" }),
        json!({ "attachment": "0x12" }),
        json!({ "attachment": ATTACHMENT, "block": "0x1" }),
    ];
    for query in wrong {
        assert_eq!(ask(query.clone()).await.unwrap_err().code, -32_602, "{query}");
    }
    while dev.chain.head().block.number() < 4 {
        dev.transfer().await;
    }
    let too_long = ask(json!({ "attachment": ATTACHMENT, "fromBlock": "0x0" })).await.unwrap_err();
    assert_eq!((too_long.code, too_long.message.contains("a range of 5 blocks")), (-32_005, true), "{too_long:?}");
    let said: usize = (1..=4).map(|number| dev.chain.block(number).unwrap().unwrap().chain_acts.len()).sum();
    assert!(said > 12, "{said}");
    let too_many = ask(json!({ "attachment": ATTACHMENT, "fromBlock": "0x1" })).await.unwrap_err();
    assert_eq!((too_many.code, too_many.message.contains("more than 12 verdicts")), (-32_005, true), "{too_many:?}");
}

/// A call of the guarded account by account 0, signed.
fn signed_call(dev: &Dev, nonce: u64, to: Address) -> Bytes {
    let tx = TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: to.into(),
        ..TxEip1559::default()
    };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_transactions_are_screened_a_veto_costs_nothing_and_others_pass() {
    let clock = Arc::new(parapet_builder::SystemClock);
    let dev = Dev::screening(Settings::default(), Limits::default(), Screening::On, Arc::new(Closed), clock).await;
    let refused = dev.ask("eth_sendRawTransaction", json!([signed_call(&dev, 0, GUARDED)])).await.unwrap_err();
    assert_eq!(refused.code, 3);
    assert!(refused.message.contains("not today"), "{}", refused.message);
    let request = json!([{"from": dev.address(0), "to": GUARDED, "gas": "0x186a0"}]);
    assert_eq!(dev.ask("eth_sendTransaction", request).await.unwrap_err().code, 3);
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 0, "nothing was paid");
    let status = dev.ask("txpool_status", json!([])).await.unwrap();
    assert_eq!(status, json!({"pending": "0x0", "queued": "0x0"}));

    let hash = dev.ask("eth_sendRawTransaction", json!([signed_call(&dev, 0, Address::ZERO)])).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["status"], "0x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_screened_in_the_time_of_a_read_is_let_through_alone_and_in_a_batch() {
    let (clock, limits) =
        (Arc::new(parapet_builder::SystemClock), Limits { read_time_max: Duration::ZERO, ..Limits::default() });
    let dev = Dev::screening(Settings::default(), limits, Screening::On, Arc::new(Closed), clock).await;
    dev.ask("eth_sendRawTransaction", json!([signed_call(&dev, 0, GUARDED)])).await.unwrap();
    let send = |nonce: u64| {
        let params = json!([signed_call(&dev, nonce, GUARDED)]);
        json!({"jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": params})
    };
    let (_, answer) = dev.post(json!([send(1), send(2)]).to_string().as_bytes()).await;
    assert!(!answer.contains("error"), "{answer}");
    let request = json!([{"from": dev.address(0), "to": GUARDED, "gas": "0x186a0"}]);
    dev.ask("eth_sendTransaction", request).await.unwrap();
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_they_are_not_screened_a_veto_is_paid_for() {
    let dev = Dev::with(Settings::default(), Limits::default(), Arc::new(Closed)).await;
    let hash = dev.ask("eth_sendRawTransaction", json!([signed_call(&dev, 0, GUARDED)])).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["status"], "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_veto_in_a_simulated_block_is_the_calls_own_and_the_next_call_goes_on() {
    let dev = guarded().await;
    let from = dev.address(0);
    let calls = json!([{"from": from, "to": GUARDED}, {"from": from, "to": dev.address(1), "value": "0x1"}]);
    let asked = json!([{"blockStateCalls": [{"calls": calls}], "traceTransfers": true}]);
    let blocks = dev.ask("eth_simulateV1", asked).await.unwrap();
    let calls = &blocks[0]["calls"];
    assert_eq!((&calls[0]["status"], &calls[0]["error"]["code"]), (&json!("0x0"), &json!(3)));
    assert_eq!(calls[0]["error"]["data"], json!(veto().output()));
    assert!(calls[0]["error"]["message"].as_str().unwrap().contains("vetoed by guard closed"));
    assert_eq!(calls[1]["status"], "0x1");
    assert_eq!(calls[1]["logs"].as_array().unwrap().len(), 1, "the ether of the call that stands");
}
