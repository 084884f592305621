//! Blocks that are never built (`eth_simulateV1`).

use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use alloy_provider::Provider as _;
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::{Dev, Refusal};

const RICH: Address = Address::repeat_byte(0xc0);
const OTHER: Address = Address::repeat_byte(0xc1);
const THIRD: Address = Address::repeat_byte(0xc2);
/// Whose transfers ether's are said to be.
const ETHER: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");

async fn simulate(dev: &Dev, payload: Value) -> Result<Vec<Value>, Refusal> {
    let blocks = dev.ask("eth_simulateV1", json!([payload, "latest"])).await?;
    Ok(serde_json::from_value(blocks).unwrap())
}

async fn refusal(dev: &Dev, payload: Value) -> i64 {
    simulate(dev, payload).await.unwrap_err().code
}

fn number(value: &Value) -> u64 {
    serde_json::from_value::<U256>(value.clone()).unwrap().to()
}

fn transfer(from: Address, to: Address, wei: u64) -> Value {
    json!({"from": from, "to": to, "value": U256::from(wei)})
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_stand_on_one_another_and_nothing_stays() {
    let dev = Dev::start().await;
    let first = json!({
        "stateOverrides": {RICH.to_string(): {"balance": "0x3e8"}},
        "calls": [transfer(RICH, OTHER, 600), transfer(OTHER, THIRD, 200)],
    });
    let far = json!({"blockOverrides": {"number": "0x4"}, "calls": [transfer(OTHER, RICH, 400)]});
    let blocks = simulate(&dev, json!({"blockStateCalls": [first, far]})).await.unwrap();
    let genesis = dev.chain.head().block.clone();
    assert_eq!(blocks.iter().map(|block| number(&block["number"])).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let mut parent = json!(genesis.hash());
    for (index, block) in (1..).zip(&blocks) {
        assert_eq!(block["parentHash"], parent);
        assert_eq!(number(&block["timestamp"]), genesis.header.timestamp + 12 * index);
        assert_eq!(block["baseFeePerGas"], "0x0");
        parent = block["hash"].clone();
    }
    assert_eq!(blocks[0]["gasUsed"], json!(U256::from(42_000)));
    assert_eq!(blocks[3]["calls"][0]["status"], "0x1");
    assert_ne!(blocks[0]["stateRoot"], blocks[3]["stateRoot"]);
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 0);
    assert_eq!(dev.provider.get_balance(THIRD).await.unwrap(), U256::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_block_has_the_roots_of_the_same_block_when_it_is_mined() {
    let dev = Dev::start().await;
    let [from, to] = [0, 1].map(|index| dev.address(index));
    let time = dev.chain.head().block.header.timestamp + 100;
    let miner = dev.chain.next_context(&dev.chain.head()).beneficiary;
    let call = json!({
        "from": from, "to": to, "value": "0x5", "gas": "0x5208",
        "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1",
    });
    let payload = json!({
        "blockStateCalls": [{"blockOverrides": {"time": U256::from(time), "feeRecipient": miner}, "calls": [call]}],
        "validation": true,
    });
    let simulated = simulate(&dev, payload).await.unwrap().remove(0);
    dev.ask("evm_setNextBlockTimestamp", json!([time])).await.unwrap();
    let hash = dev.ask("eth_sendTransaction", json!([call])).await.unwrap();
    let mined = dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    assert_eq!(mined["transactions"], json!([hash]));
    for field in
        ["stateRoot", "receiptsRoot", "logsBloom", "gasUsed", "gasLimit", "baseFeePerGas", "requestsHash", "timestamp"]
    {
        assert_eq!(simulated[field], mined[field], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ether_that_moves_is_told_as_logs_where_it_stands() {
    let dev = Dev::start().await;
    // CALL(gas, THIRD, 1 wei); then RETURN or REVERT.
    let forward = |last: &str| format!("0x5f5f5f5f600173{}5af1505f5f{last}", hex::encode(THIRD));
    let payload = |last: &str| {
        json!({
            "blockStateCalls": [{
                "stateOverrides": {
                    RICH.to_string(): {"balance": "0x64"},
                    OTHER.to_string(): {"code": forward(last)},
                },
                "calls": [transfer(RICH, OTHER, 7)],
            }],
            "traceTransfers": true,
        })
    };
    let stands = simulate(&dev, payload("f3")).await.unwrap().remove(0);
    let logs = stands["calls"][0]["logs"].as_array().unwrap();
    let told: Vec<_> =
        logs.iter().map(|log| (&log["address"], &log["topics"][2], &log["data"], &log["logIndex"])).collect();
    let word = |wei: u64| json!(B256::from(U256::from(wei)));
    let (ether, to) = (json!(ETHER), [json!(OTHER.into_word()), json!(THIRD.into_word())]);
    let expected = [(&ether, &to[0], &word(7), &json!("0x0")), (&ether, &to[1], &word(1), &json!("0x1"))];
    assert_eq!(told, expected);
    assert_eq!(logs[0]["blockHash"], stands["hash"]);
    assert_eq!(stands["logsBloom"], json!(alloy_primitives::Bloom::ZERO), "they are none of the block's");

    let reverted = simulate(&dev, payload("fd")).await.unwrap().remove(0);
    let call = &reverted["calls"][0];
    assert_eq!((&call["status"], &call["logs"], &call["error"]["code"]), (&json!("0x0"), &json!([]), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn precompiles_move_and_what_takes_their_place_runs_instead() {
    let dev = Dev::start().await;
    let identity = Address::with_last_byte(4);
    // MSTORE(0, 7); RETURN(0, 32)
    let seven = "0x60075f5260205ff3";
    let payload = |overrides: Value| {
        let call = |to: Address| json!({"from": RICH, "to": to, "input": "0x1234"});
        json!({"blockStateCalls": [
            {"stateOverrides": overrides, "calls": [call(identity), call(OTHER)]},
            {"calls": [call(identity), call(OTHER)]},
        ]})
    };
    let moved = json!({identity.to_string(): {"movePrecompileToAddress": OTHER, "code": seven}});
    let blocks = simulate(&dev, payload(moved)).await.unwrap();
    let output = |block: usize, call: usize| blocks[block]["calls"][call]["returnData"].clone();
    assert_eq!((output(0, 0), output(0, 1)), (json!(B256::with_last_byte(7)), json!("0x1234")));
    // In the next block each is at its place again; the code stays.
    assert_eq!((output(1, 0), output(1, 1)), (json!("0x1234"), json!("0x")));

    let call =
        json!([{"to": OTHER, "input": "0xab"}, "latest", {identity.to_string(): {"movePrecompileToAddress": OTHER}}]);
    assert_eq!(dev.ask("eth_call", call).await.unwrap(), "0xab");
    let none = json!({OTHER.to_string(): {"movePrecompileToAddress": THIRD}});
    assert_eq!(refusal(&dev, payload(none)).await, -32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_broken_have_the_codes_of_the_specification() {
    let dev = Dev::start().await;
    let from = dev.address(0);
    let one = |call: Value| json!({"blockStateCalls": [{"calls": [call]}]});
    let strict = |call: Value| json!({"blockStateCalls": [{"calls": [call]}], "validation": true});
    let headers = |overrides: Value| json!({"blockStateCalls": [{}, {"blockOverrides": overrides}]});
    let paid = |nonce: &str| json!({"from": from, "to": OTHER, "nonce": nonce, "maxFeePerGas": "0x77359400"});
    dev.transfer().await;
    let time = U256::from(dev.chain.head().block.header.timestamp);
    let cases = [
        (strict(paid("0x0")), -38_010),
        (strict(paid("0x9")), -38_011),
        (strict(json!({"from": from, "to": OTHER})), -38_012),
        (one(json!({"from": from, "to": OTHER, "gas": "0x5207"})), -38_013),
        (one(json!({"from": RICH, "to": OTHER, "value": "0x1"})), -38_014),
        (one(json!({"from": from, "to": OTHER, "gas": "0xffffffffff"})), -38_015),
        (headers(json!({"number": "0x2"})), -38_020),
        (headers(json!({"time": time})), -38_021),
        (one(json!({"from": from, "input": Bytes::from(vec![0; 49_153])})), -38_025),
        (headers(json!({"number": "0x1000"})), -38_026),
        (json!({"blockStateCalls": vec![json!({}); 257]}), -38_026),
        (json!({"blockStateCalls": [{"calls": vec![json!({}); 5_001]}]}), -38_026),
        (json!({"blockStateCalls": []}), -32_602),
        (strict(json!({"from": from, "to": OTHER, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"})), -32_602),
    ];
    for (payload, code) in cases {
        assert_eq!(refusal(&dev, payload.clone()).await, code, "{:.200}", payload.to_string());
    }
    // Without validation any nonce will do.
    assert!(simulate(&dev, one(paid("0x0"))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_at_its_end_begins_anew_unless_it_is_validated() {
    let dev = Dev::start().await;
    let payload = |validation: bool| {
        json!({
            "blockStateCalls": [{
                "blockOverrides": {"baseFeePerGas": "0x0"},
                "stateOverrides": {RICH.to_string(): {"nonce": "0xffffffffffffffff"}},
                "calls": [{"from": RICH, "to": OTHER}, {"from": RICH, "to": OTHER}],
            }],
            "validation": validation,
            "returnFullTransactions": true,
        })
    };
    let block = simulate(&dev, payload(false)).await.unwrap().remove(0);
    let nonces = [0, 1].map(|index| block["transactions"][index]["nonce"].clone());
    assert_eq!(nonces, [json!("0xffffffffffffffff"), json!("0x0")]);
    assert_eq!(block["transactions"][0]["from"], json!(RICH));
    assert_eq!(refusal(&dev, payload(true)).await, -32_603);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_calls_together_have_the_gas_of_one_request_and_answers_have_a_length() {
    let limits = Limits { call_gas_max: 100_000, response_bytes_max: 20_000, ..Limits::default() };
    let dev = Dev::with(Default::default(), limits, std::sync::Arc::new(parapet_monitor::NoMonitor)).await;
    let endless = json!({OTHER.to_string(): {"code": "0x5b5f56"}});
    let spend = |calls: usize| {
        let call = json!({"from": RICH, "to": OTHER, "gas": "0xc350"});
        json!({"blockStateCalls": [{"stateOverrides": endless, "calls": vec![call; calls]}]})
    };
    let block = simulate(&dev, spend(2)).await.unwrap().remove(0);
    assert_eq!(block["gasUsed"], json!(U256::from(100_000)));
    assert_eq!(block["calls"][1]["error"]["code"], -32_015);
    assert_eq!(refusal(&dev, spend(3)).await, -38_013, "nothing is left for the third");

    // RETURN(0, 4096)
    let long = json!({OTHER.to_string(): {"code": "0x6110005ff3"}});
    let payload = json!({"blockStateCalls": [{"stateOverrides": long, "calls": vec![json!({"to": OTHER}); 3]}]});
    assert_eq!(refusal(&dev, payload).await, -38_026);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_see_their_own_number_time_hashes_and_prices() {
    let dev = Dev::start().await;
    // NUMBER TIMESTAMP BLOCKHASH(NUMBER - 1) BASEFEE BLOBBASEFEE COINBASE PREVRANDAO GASLIMIT, one word each.
    let code =
        "0x435f52 42602052 60014303 40604052 48606052 4a608052 4160a052 4460c052 4560e052 6101005ff3".replace(' ', "");
    let overrides = json!({
        "number": "0x3", "time": "0xfffffffff", "baseFeePerGas": "0x9", "blobBaseFee": "0x11",
        "feeRecipient": THIRD, "prevRandao": B256::with_last_byte(5), "gasLimit": "0x1c9c380",
    });
    let block = json!({
        "blockOverrides": overrides,
        "stateOverrides": {OTHER.to_string(): {"code": code}},
        "calls": [{"to": OTHER, "gas": "0x100000"}],
    });
    let blocks = simulate(&dev, json!({"blockStateCalls": [block]})).await.unwrap();
    let seen: Bytes = serde_json::from_value(blocks[2]["calls"][0]["returnData"].clone()).unwrap();
    let words: Vec<B256> = seen.chunks(32).map(B256::from_slice).collect();
    let parent: B256 = serde_json::from_value(blocks[1]["hash"].clone()).unwrap();
    let small = |value: u64| B256::from(U256::from(value));
    let expected =
        [small(3), small(0xf_ffff_ffff), parent, small(9), small(0x11), THIRD.into_word(), small(5), small(30_000_000)];
    assert_eq!(words, expected);
    assert_eq!((&blocks[2]["miner"], &blocks[2]["gasLimit"]), (&json!(THIRD), &json!("0x1c9c380")));
}
