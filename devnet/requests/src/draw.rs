//! Requests: those that make sense, and what becomes of them.

use arbitrary::Unstructured;
use serde_json::{Map, Value, json};

use crate::source::{below, bytes, disturb, one_in};

/// Methods with parameters that make sense, as JSON. `$A` is an account, `$H` a hash.
const CALLS: &[(&str, &str)] = &[
    ("eth_chainId", "[]"),
    ("eth_blockNumber", "[]"),
    ("eth_getBalance", r#"["$A","latest"]"#),
    ("eth_getCode", r#"["$A","earliest"]"#),
    ("eth_getStorageAt", r#"["$A","0x0","latest"]"#),
    ("eth_getTransactionCount", r#"["$A","pending"]"#),
    ("eth_getProof", r#"["$A",["0x0","0x1"],"latest"]"#),
    ("eth_getBlockByNumber", r#"["latest",true]"#),
    ("eth_getBlockByHash", r#"["$H",false]"#),
    ("eth_getBlockReceipts", r#"["0x1"]"#),
    ("eth_getTransactionByHash", r#"["$H"]"#),
    ("eth_getTransactionReceipt", r#"["$H"]"#),
    ("eth_getLogs", r#"[{"fromBlock":"0x0","toBlock":"latest","address":["$A"],"topics":[null,["$H"]]}]"#),
    ("eth_newFilter", r#"[{"fromBlock":"0x0","topics":["$H"]}]"#),
    ("eth_newBlockFilter", "[]"),
    ("eth_getFilterChanges", r#"["0x1"]"#),
    ("eth_getFilterLogs", r#"["0x1"]"#),
    ("eth_uninstallFilter", r#"["0x1"]"#),
    ("eth_feeHistory", r#"["0x4","latest",[1,50.5,99]]"#),
    ("eth_gasPrice", "[]"),
    (
        "eth_call",
        r#"[{"from":"$A","to":"$A","gas":"0x100000","value":"0x1","data":"0x01"},"latest",{"$A":{"balance":"0x1","code":"0x5f5ff3","stateDiff":{"$H":"$H"}}},{"number":"0x9","time":"0x9"}]"#,
    ),
    (
        "eth_estimateGas",
        r#"[{"from":"$A","to":"$A","maxFeePerGas":"0x77359400","accessList":[{"address":"$A","storageKeys":["$H"]}]}]"#,
    ),
    ("eth_createAccessList", r#"[{"from":"$A","data":"0x60016000556001600155"},"latest"]"#),
    ("eth_sendRawTransaction", r#"["0x02f86c"]"#),
    ("eth_sign", r#"["$A","0x00"]"#),
    ("eth_sendTransaction", r#"[{"from":"$A","to":"$A","value":"0x1"}]"#),
    ("eth_subscribe", r#"["logs",{"address":"$A"}]"#),
    ("net_version", "[]"),
    ("web3_sha3", r#"["0x68656c6c6f"]"#),
    ("web3_clientVersion", "[]"),
    ("txpool_content", "[]"),
    ("txpool_contentFrom", r#"["$A"]"#),
    (
        "debug_traceCall",
        r#"[{"to":"$A","data":"0x"},"latest",{"tracer":"callTracer","tracerConfig":{"withLog":true}}]"#,
    ),
    ("debug_traceTransaction", r#"["$H",{"tracer":"prestateTracer","tracerConfig":{"diffMode":true}}]"#),
    ("debug_traceBlockByNumber", r#"["0x1",{"enableMemory":true,"limit":10}]"#),
    ("debug_getRawBlock", r#"["latest"]"#),
    ("trace_block", r#"["0x1"]"#),
    ("trace_filter", r#"[{"fromBlock":"0x0","toBlock":"0x2","fromAddress":["$A"],"count":5}]"#),
    ("trace_call", r#"[{"to":"$A"},["trace","vmTrace","stateDiff"],"latest"]"#),
    ("trace_replayBlockTransactions", r#"["0x1",["trace"]]"#),
    ("trace_callMany", r#"[[[{"from":"$A","to":"$A"},["trace"]],[{"data":"0x5f5ff3"},["vmTrace"]]],"latest"]"#),
    ("trace_get", r#"["$H",["0x0"]]"#),
    ("debug_storageRangeAt", r#"["latest",0,"$A","0x00",5]"#),
    ("debug_traceCall", r#"[{"data":"0x5f5f20"},"latest",{"tracer":"erc7562Tracer","tracerConfig":{}}]"#),
    (
        "debug_traceCall",
        r#"[{"to":"$A"},"latest",{"tracer":"muxTracer","tracerConfig":{"callTracer":{},"4byteTracer":null}}]"#,
    ),
    ("eth_getStorageValues", r#"[{"$A":["0x0","0x1"]},"latest"]"#),
    ("eth_getBlockAccessList", r#"["latest"]"#),
    ("eth_getAccount", r#"["$A","latest"]"#),
    ("eth_getTransactionByBlockNumberAndIndex", r#"["0x1","0x0"]"#),
    ("eth_newPendingTransactionFilter", "[true]"),
    ("eth_config", "[]"),
    ("ots_getBlockTransactions", r#"[1,0,5]"#),
    ("ots_getTransactionBySenderAndNonce", r#"["$A",0]"#),
    ("guard_simulate", r#"[{"from":"$A","to":"$A"},"latest",[{"module":"0x00","accounts":["$A"]}]]"#),
    ("guard_backtestNext", r#"["0x1"]"#),
    ("guard_getVerdicts", r#"["$H"]"#),
    ("guard_getBlockVerdicts", r#"["latest"]"#),
    ("guard_getCounts", r#"["$H","latest"]"#),
    ("guard_simulate", r#"[{"from":"$A","to":"$A"},"latest"]"#),
    ("guard_query", r#"["$H",{"window":{}},"latest"]"#),
    ("guard_registry", "[]"),
    (
        "eth_simulateV1",
        r#"[{"blockStateCalls":[{"blockOverrides":{"number":"0x9"},"stateOverrides":{"$A":{"balance":"0x1"}},"calls":[{"from":"$A","to":"$A"}]}],"validation":false,"traceTransfers":true},"latest"]"#,
    ),
    ("eth_sendRawTransactionSync", r#"["0x02f86c","0x1"]"#),
    ("ots_getBlockDetails", r#"["0x1"]"#),
    ("ots_searchTransactionsBefore", r#"["$A","0x0",5]"#),
    ("rpc.discover", "[]"),
    ("rpc_modules", "[]"),
    ("anvil_mine", r#"["0x1"]"#),
    ("engine_forkchoiceUpdatedV3", r#"[{"headBlockHash":"$H"}]"#),
];
/// Methods of development chains. Those that are not drawn take what is drawn literally, and for long: dumps, and other chains.
const DEVELOPMENT_CALLS: &[(&str, &str)] = &[
    ("anvil_setBalance", r#"["$A","0x1"]"#),
    ("anvil_addBalance", r#"["$A","0x1"]"#),
    ("anvil_setCode", r#"["$A","0x5b5f56"]"#),
    ("anvil_setNonce", r#"["$A","0x9"]"#),
    ("anvil_setStorageAt", r#"["$A","0x1","$H"]"#),
    ("anvil_dealERC20", r#"["$A","$A","0x5"]"#),
    ("anvil_setERC20Allowance", r#"["$A","$A","$A","0x5"]"#),
    ("anvil_setCoinbase", r#"["$A"]"#),
    ("anvil_setBlockGasLimit", r#"["0x1c9c380"]"#),
    ("anvil_setNextBlockBaseFeePerGas", r#"["0x7"]"#),
    ("anvil_setNextBlockPrevRandao", r#"["$H"]"#),
    ("anvil_dropTransaction", r#"["$H"]"#),
    ("anvil_dropAllTransactions", "[]"),
    ("anvil_removePoolTransactions", r#"["$A"]"#),
    ("anvil_impersonateAccount", r#"["$A"]"#),
    ("anvil_stopImpersonatingAccount", r#"["$A"]"#),
    ("anvil_nodeInfo", "[]"),
    ("anvil_metadata", "[]"),
    ("anvil_getBlobByHash", r#"["$H"]"#),
    ("anvil_rollback", r#"["0x1"]"#),
    ("anvil_reorg", r#"["0x1",[[{"from":"$A","to":"$A","value":"0x1"},0]]]"#),
    ("anvil_reset", "[]"),
    ("anvil_mine", r#"["0x3","0x9"]"#),
    ("evm_mine", r#"[{"blocks":2,"timestamp":"0x6553f200"}]"#),
    ("anvil_mine_detailed", "[]"),
    ("evm_snapshot", "[]"),
    ("evm_revert", r#"["0x1"]"#),
    ("evm_increaseTime", r#"["0x5"]"#),
    ("evm_setNextBlockTimestamp", r#"["0x6553f200"]"#),
    ("evm_setTime", r#"["0x6553f200"]"#),
    ("anvil_setBlockTimestampInterval", r#"["0x2"]"#),
    ("anvil_removeBlockTimestampInterval", "[]"),
    ("evm_setAutomine", "[false]"),
    ("evm_setIntervalMining", r#"["0x1"]"#),
    ("eth_sendUnsignedTransaction", r#"[{"from":"$A","to":"$A","value":"0x1"}]"#),
    ("eth_signTransaction", r#"[{"from":"$A","to":"$A","value":"0x1"}]"#),
    ("eth_fillTransaction", r#"[{"from":"$A","to":"$A","value":"0x1"}]"#),
    (
        "eth_signTypedData_v4",
        r#"["$A",{"types":{"EIP712Domain":[{"name":"name","type":"string"}],"Mail":[{"name":"to","type":"address[2][]"}]},"primaryType":"Mail","domain":{"name":"x"},"message":{"to":[["$A","$A"]]}}]"#,
    ),
    ("personal_sign", r#"["0x00","$A"]"#),
    (
        "testing_buildBlockV1",
        r#"["$H",{"timestamp":"0x6553f200","prevRandao":"$H","suggestedFeeRecipient":"$A","withdrawals":[{"index":"0x0","validatorIndex":"0x0","address":"$A","amount":"0x1"}],"parentBeaconBlockRoot":"$H"},["0x02f86c"],"0x00"]"#,
    ),
];
/// An account that has something.
const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const HASH: &str = "0x00000000000000000000000000000000000000000000000000000000000000ff";
/// Deepest nesting that is drawn.
const DEPTH_MAX: usize = 2_000;
/// Longest text that is drawn.
const TEXT_MAX: usize = 20_000;
/// Most requests of one batch.
const BATCH_MAX: usize = 12;

/// Whose requests are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Anybody's.
    Strangers,
    /// Those of somebody whose chain it is.
    Developers,
}

/// The body of a request, by its seed.
#[must_use]
pub fn draw(seed: u64, whose: Whose) -> Vec<u8> {
    let bytes = bytes(seed);
    let mut from = Unstructured::new(&bytes);
    let body = if one_in(&mut from, 6) {
        let length = below(&mut from, BATCH_MAX);
        Value::Array((0..length).map(|_| request(&mut from, whose)).collect())
    } else {
        request(&mut from, whose)
    };
    let mut body = body.to_string().into_bytes();
    if one_in(&mut from, 4) {
        disturb(&mut from, &mut body);
    }
    body
}

fn request(from: &mut Unstructured<'_>, whose: Whose) -> Value {
    let calls = match whose {
        Whose::Developers if one_in(from, 2) => DEVELOPMENT_CALLS,
        Whose::Developers | Whose::Strangers => CALLS,
    };
    let (method, params) = calls[below(from, calls.len())];
    let params = params.replace("$A", ACCOUNT).replace("$H", HASH);
    let mut params = serde_json::from_str(&params).unwrap_or(Value::Null);
    for _ in 0..below(from, 4) {
        change(from, &mut params);
    }
    let mut request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    if one_in(from, 12) {
        change(from, &mut request);
    }
    request
}

/// Changes one place of a value.
fn change(from: &mut Unstructured<'_>, value: &mut Value) {
    // The deeper, the less is left to go down to.
    let down = !one_in(from, 3);
    match value {
        Value::Array(items) if !items.is_empty() && down => {
            let at = below(from, items.len());
            change(from, &mut items[at]);
        }
        Value::Object(fields) if !fields.is_empty() && down => {
            let at = below(from, fields.len());
            if let Some(field) = fields.values_mut().nth(at) {
                change(from, field);
            }
        }
        Value::Array(items) if one_in(from, 2) => match below(from, 3) {
            0 => items.clear(),
            1 => items.push(junk(from)),
            _ => {
                items.pop();
            }
        },
        Value::Object(fields) if one_in(from, 2) => {
            let name = text(from);
            fields.insert(name, junk(from));
        }
        other => *other = junk(from),
    }
}

/// A value that is seldom right.
fn junk(from: &mut Unstructured<'_>) -> Value {
    match below(from, 14) {
        0 => Value::Null,
        1 => Value::Bool(from.arbitrary().unwrap_or_default()),
        2 => json!(from.arbitrary::<i64>().unwrap_or_default()),
        3 => json!(from.arbitrary::<f64>().unwrap_or_default()),
        4 => json!(format!("{:#x}", from.arbitrary::<u64>().unwrap_or_default())),
        5 => json!(format!("0x{}", "f".repeat(below(from, 130)))),
        6 => json!(["latest", "earliest", "pending", "safe", "finalized"][below(from, 5)]),
        7 => json!(text(from)),
        8 => Value::Array(vec![Value::Null; below(from, 50)]),
        9 => Value::Object(Map::new()),
        10 => json!({"blockHash": HASH, "requireCanonical": true}),
        11 => json!("0x".to_owned() + &"0".repeat(below(from, TEXT_MAX))),
        12 => deep(below(from, DEPTH_MAX)),
        _ => json!(HASH),
    }
}

/// Arrays within each other. Deeper than any reader goes, so it is made as text elsewhere; here it stays below what this
/// process itself can drop.
fn deep(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

fn text(from: &mut Unstructured<'_>) -> String {
    let length = below(from, 40);
    (0..length).map(|_| from.arbitrary::<char>().unwrap_or(' ')).collect()
}
