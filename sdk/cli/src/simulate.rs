//! `parapet guard simulate`: what guards say of a call, or of a transaction once more in its place.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use parapet_monitor::{Fuel, Verdict, detail_text};
use parapet_types::Destiny;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    CliError, Report, SimulateArgs,
    candidate::beside,
    node::Node,
    report::grouped,
    verdicts::{cost, said},
};

/// What a node answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Simulated {
    destiny: Destiny,
    gas_used: U256,
    guard_gas_used: U256,
    output: Bytes,
    verdicts: Vec<Verdict>,
    #[serde(default)]
    candidates: Vec<Tried>,
}

#[derive(Debug, Deserialize)]
struct Tried {
    guard: String,
    version: String,
    module: B256,
    verdicts: Vec<Verdict>,
    fuel: Fuel,
}

pub(crate) async fn run(args: &SimulateArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let with = beside(&node, &args.with).await?;
    let candidates: Vec<_> = with.into_iter().map(|chosen| chosen.candidate).collect();
    let what = "simulating";
    let (method, answer): (_, Value) = match args.transaction {
        Some(hash) => {
            let method = "guard_simulateTransaction";
            (method, node.ask_all(what, method, (hash, candidates)).await?)
        }
        None => {
            let method = "guard_simulate";
            (method, node.ask_all(what, method, (request(args)?, args.block, candidates)).await?)
        }
    };
    let simulated: Simulated = node.understood(method, &answer)?;
    Ok(Report { text: simulated.lines().join("\n"), json: answer })
}

fn request(args: &SimulateArgs) -> Result<TransactionRequest, CliError> {
    let input = match args.sig.split_first() {
        Some((signature, arguments)) => Some(calldata(signature, arguments)?),
        None => args.data.clone(),
    };
    Ok(TransactionRequest {
        from: args.from,
        to: args.to.map(Into::into),
        value: args.value,
        input: input.map(Into::into).unwrap_or_default(),
        ..TransactionRequest::default()
    })
}

/// A call's data from a function's signature and its arguments as text.
fn calldata(signature: &str, arguments: &[String]) -> Result<Bytes, CliError> {
    let wrong = |reason: String| CliError::Signature { signature: signature.to_owned(), reason };
    // A function's results may stand behind its parameters; they say nothing of the call.
    let end = signature.find(')').map_or(signature.len(), |_| closing(signature));
    let compact: String = signature[..end].chars().filter(|c| !c.is_whitespace()).collect();
    let open = compact.find('(').filter(|open| *open > 0);
    let open = open.ok_or_else(|| wrong("write it as in 'transfer(address,uint256)'".to_owned()))?;
    let types = match &compact[open..] {
        "()" => Vec::new(),
        list => match DynSolType::parse(list).map_err(|error| wrong(error.to_string()))? {
            DynSolType::Tuple(types) => types,
            other => vec![other],
        },
    };
    if types.len() != arguments.len() {
        return Err(wrong(format!("it has {} parameters, and {} arguments were given", types.len(), arguments.len())));
    }
    let canonical: Vec<_> = types.iter().map(|ty| ty.sol_type_name().into_owned()).collect();
    let selector = keccak256(format!("{}({})", &compact[..open], canonical.join(",")));
    let values = types.iter().zip(arguments).map(|(ty, text)| {
        ty.coerce_str(text).map_err(|error| wrong(format!("{text:?} is not of type {}: {error}", ty.sol_type_name())))
    });
    let values: Vec<DynSolValue> = values.collect::<Result<_, _>>()?;
    let encoded = if values.is_empty() { Vec::new() } else { DynSolValue::Tuple(values).abi_encode_params() };
    Ok([&selector[..4], &encoded].concat().into())
}

/// Just behind the parenthesis that closes the first one.
fn closing(signature: &str) -> usize {
    let mut depth = 0_usize;
    for (place, c) in signature.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth <= 1 => return place + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    signature.len()
}

impl Simulated {
    fn lines(&self) -> Vec<String> {
        let gas = |gas: U256| grouped(gas.saturating_to());
        let mut lines = vec![
            format!("destiny    {}", destiny(&self.destiny)),
            format!("gas        {}, of which {} for guards", gas(self.gas_used), gas(self.guard_gas_used)),
        ];
        if !self.output.is_empty() {
            lines.push(format!("output     {}", self.output));
        }
        if self.verdicts.is_empty() {
            lines.push("guards     none of the chain's woke".to_owned());
        }
        lines.extend(self.verdicts.iter().flat_map(|verdict| [said(verdict), cost(verdict)]));
        for Tried { guard, version, module, verdicts, fuel } in &self.candidates {
            lines.push(format!("tried      {guard} {version} (module {module}), {} fuel", grouped(fuel.0)));
            if verdicts.is_empty() {
                lines.push("  did not wake".to_owned());
            }
            lines.extend(verdicts.iter().map(said));
        }
        lines
    }
}

/// How a transaction ended, in words.
pub(crate) fn destiny(destiny: &Destiny) -> String {
    match destiny {
        Destiny::Succeeded => "succeeded".to_owned(),
        Destiny::Reverted => "reverted by itself".to_owned(),
        Destiny::Halted { reason } => format!("halted: {reason}"),
        Destiny::Vetoed { guard, attachment, code, detail } => {
            format!("vetoed by guard {guard} with code {code}: {} (attachment {attachment})", detail_text(detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::calldata;

    fn data(signature: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        calldata(signature, &arguments).map(|data| data.to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_signature_and_its_arguments_make_a_calls_data() {
        assert_eq!(data("withdraw()", &[]), Ok(hex!("3ccfd60b").to_vec()));
        let to = "0x00000000000000000000000000000000000000aa";
        let transfer = data("transfer(address, uint256) returns (bool)", &[to, "2 gwei"]).unwrap_or_default();
        assert_eq!(transfer[..4], hex!("a9059cbb"));
        assert_eq!((transfer.len(), transfer[35], &transfer[64..]), (68, 0xaa, &hex!("77359400")[..]));
        // The selector is that of the canonical names.
        assert_eq!(
            data("f(uint)", &["1"]).map(|d| d[..4].to_vec()),
            data("f(uint256)", &["1"]).map(|d| d[..4].to_vec())
        );
        let nested =
            data("f((uint256,address)[],bytes)", &["[(1,0x00000000000000000000000000000000000000aa)]", "0x01"]);
        assert!(nested.is_ok_and(|data| data.len() > 4 + 64));
    }

    #[test]
    fn what_is_no_call_is_refused_by_what_is_wrong() {
        for (signature, arguments, words) in [
            ("withdraw", &[][..], "write it as in"),
            ("()", &[][..], "write it as in"),
            ("f(address)", &[][..], "1 parameters, and 0 arguments"),
            ("f(address)", &["7"][..], "is not of type address"),
            ("f(addres)", &["7"][..], "addres"),
        ] {
            let error = data(signature, arguments).expect_err(signature);
            assert!(error.contains(words), "{signature}: {error}");
        }
    }
}
