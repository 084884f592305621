//! `guard_query`: what reaches the monitor, and what comes back.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use parapet_abi::ContextRecord;
use parapet_builder::Settings;
use parapet_monitor::{
    Allowance, Answer, Decision, Examination, Fault, Fuel, Judging, Monitor, QueryError, Question, StateView,
};
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

const ATTACHMENT: B256 = B256::repeat_byte(0xaa);
const FUEL_MAX: u64 = 1_234;

/// Answers with the block it is asked in and the message as it came, or with an error that the message names.
struct Echo;

impl Monitor for Echo {
    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(None)
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }

    fn query(
        &self,
        context: &ContextRecord,
        question: Question<'_>,
        _: &mut dyn StateView,
    ) -> Result<Answer, QueryError> {
        if question.attachment != ATTACHMENT {
            return Err(QueryError::UnknownAttachment(question.attachment));
        }
        let (guard, text) = ("echo".to_owned(), std::str::from_utf8(question.message).unwrap());
        match text {
            r#""native""# => Err(QueryError::NotAContract { guard }),
            r#""mute""# => Err(QueryError::NoQueries { guard }),
            r#""no""# => Err(QueryError::Refused { guard, code: 7, detail: "no".to_owned() }),
            r#""long""# => Err(QueryError::Message { reason: "too long".to_owned() }),
            r#""dear""# => Err(QueryError::OutOfFuel { guard, spent: question.fuel_max }),
            r#""trap""# => Err(QueryError::Broken { guard, reason: "unreachable".to_owned() }),
            r#""engine""# => Err(Fault::Engine { attachment: ATTACHMENT, reason: "no memory".to_owned() }.into()),
            r#""bytes""# => Ok(Answer { data: Bytes::from_static(&[0xff]), fuel: Fuel(1) }),
            _ => {
                let data = format!(r#"{{"block":{},"said":{text}}}"#, context.block_number).into_bytes().into();
                Ok(Answer { data, fuel: question.fuel_max })
            }
        }
    }
}

async fn dev() -> Dev {
    let limits = Limits { query_fuel_max: Fuel(FUEL_MAX), ..Limits::default() };
    Dev::with(Settings::default(), limits, Arc::new(Echo)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_as_it_was_written_at_the_block_that_is_named() {
    let dev = dev().await;
    dev.transfer().await;
    let message = json!({ "wei": 1_u64 << 63, "b": [], "a": null });
    for (block, number) in [(json!("latest"), 1), (json!("0x0"), 0), (json!("pending"), 2), (Value::Null, 1)] {
        let answered = dev.ask("guard_query", json!([ATTACHMENT, message, block])).await.unwrap();
        assert_eq!(answered["answer"], json!({ "block": number, "said": message }));
        assert_eq!(answered["fuel"], FUEL_MAX, "the node's own limit is told to the guard");
    }
    let answered = dev.ask("guard_query", json!([ATTACHMENT, "bytes"])).await.unwrap();
    assert_eq!(answered, json!({ "answer": null, "data": "0xff", "fuel": 1 }));
    // Numbers beyond 64 bits and the order of names are the guard's to understand.
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"guard_query","params":["{ATTACHMENT}",{{"z":100000000000000000000001,"a":1.10}}]}}"#
    );
    let (status, answer) = dev.post(body.as_bytes()).await;
    assert!(status == 200 && answer.contains(r#""said":{"z":100000000000000000000001,"a":1.10}"#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_answered_is_told_why_with_a_code() {
    let dev = dev().await;
    for (message, code, words) in [
        ("native", -32_000, "guard echo is no CosmWasm contract"),
        ("mute", -32_000, "without a `query` entry point"),
        ("no", -32_000, "guard echo refuses the query: no (code 7)"),
        ("trap", -32_000, "guard echo broke: unreachable"),
        ("long", -32_602, "too long"),
        ("dear", -32_005, "spent 1234 fuel without an answer"),
        ("engine", -32_603, "no memory"),
    ] {
        let refused = dev.ask("guard_query", json!([ATTACHMENT, message])).await.unwrap_err();
        assert!(refused.code == code && refused.message.contains(words), "{refused:?}");
    }
    let unknown = dev.ask("guard_query", json!([B256::ZERO, {}])).await.unwrap_err();
    assert!(unknown.code == -32_000 && unknown.message.contains("there is no attachment 0x00"), "{unknown:?}");
    let no_block = dev.ask("guard_query", json!([ATTACHMENT, {}, "0x9"])).await.unwrap_err();
    assert!(no_block.message.contains("there is no block 0x9"), "{no_block:?}");
    for wrong in [json!([ATTACHMENT]), json!(["0x12", {}]), json!([])] {
        assert_eq!(dev.ask("guard_query", wrong).await.unwrap_err().code, -32_602);
    }
}
