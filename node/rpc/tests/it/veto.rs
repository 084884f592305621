//! What clients see of a veto.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use alloy_provider::Provider as _;
use alloy_rpc_types_eth::TransactionRequest;
use parapet_abi::ContextRecord;
use parapet_builder::Settings;
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Fuel, Hook, Judgement, Judging, Mode, Monitor, Outcome, StateView,
    Subscriptions, Trace, Verdict, Veto,
};
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

const GUARDED: Address = Address::repeat_byte(0x60);
const ATTACHMENT: B256 = B256::repeat_byte(0xaa);
const GUARD: Address = Address::repeat_byte(0xbb);

/// Vetoes every transaction to one account.
struct Closed;

impl Monitor for Closed {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let guarded = context.target.bytes == GUARDED.0;
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
        Judgement { verdicts: vec![verdict], updates: Vec::new() }
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
