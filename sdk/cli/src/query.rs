//! `parapet guard query`: asks the contract of an attachment.

use alloy_primitives::Bytes;
use parapet_monitor::Fuel;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{CliError, QueryArgs, Report, node::Node, report::grouped};

/// What a node answers.
#[derive(Debug, Deserialize)]
struct Answered {
    /// `null` if the answer is no JSON.
    answer: Value,
    data: Bytes,
    fuel: Fuel,
}

pub(crate) async fn run(args: &QueryArgs) -> Result<Report, CliError> {
    // As it was written: numbers beyond 64 bits are the contract's to understand.
    let message: Box<RawValue> = serde_json::from_str(&args.message)
        .map_err(|source| CliError::Message { message: args.message.clone(), source })?;
    let node = Node::connect(&args.node).await?;
    let arguments = (args.attachment, message, args.block);
    let Answered { answer, data, fuel } = node.ask_all("asking the guard", "guard_query", arguments).await?;
    let readable = if answer.is_null() && data.as_ref() != b"null" { data.to_string() } else { format!("{answer:#}") };
    Ok(Report {
        text: format!("{readable}\n{} fuel, paid by nobody", grouped(fuel.0)),
        json: json!({ "attachment": args.attachment, "answer": answer, "data": data, "fuel": fuel }),
    })
}
