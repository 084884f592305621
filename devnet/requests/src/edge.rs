//! A node as strangers meet it, and what is held of its answers.

use std::{collections::BTreeMap, fmt, net::SocketAddr, ops::RangeInclusive, sync::Arc};

use alloy_primitives::{B256, hex, keccak256};
use parapet_builder::{Chain, MineRequest, Settings as ChainSettings, SystemClock};
use parapet_genesis::{ACCOUNTS, DevGenesis, DevSettings, dev_accounts};
use parapet_monitor::NoMonitor;
use parapet_rpc::{Access, Namespaces, Running, Settings, serve};
use parapet_state::ChainStore;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{Decoded, Whose, decode::sender, draw};

/// When the chain begins, in seconds since 1970.
const GENESIS_TIME: u64 = 1_700_000_000;
/// Codes that clients know: JSON-RPC's own, but for the one of faults, and geth's.
const CODES: [i64; 13] =
    [-32_700, -32_600, -32_601, -32_602, -32_000, -32_001, -32_002, -32_004, -32_005, -32_007, -32_008, -32_010, 3];
/// Codes of what a simulated block may not be (execution-apis, `eth_simulateV1`).
const SIMULATION_CODES: RangeInclusive<i64> = -38_026..=-38_010;
/// Statuses of a request that is answered or refused as what it is.
const STATUSES: [u16; 4] = [200, 400, 413, 415];
/// Requests between two looks whether the node builds blocks.
const LOOK_EVERY: u64 = 100;

/// An answer that none should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of which request.
    pub seed: u64,
    /// What was asked.
    pub asked: String,
    /// What came of it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}\nasked: {}", self.seed, self.what, self.asked)
    }
}

/// What came of requests so far.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// Requests.
    pub asked: u64,
    /// Answers with a result; each of a batch is counted.
    pub results: u64,
    /// Answers with an error, by code.
    pub errors: BTreeMap<i64, u64>,
    /// Transactions that the pool took.
    pub admitted: u64,
}

/// A node that serves.
pub struct Edge {
    whose: Whose,
    chain: Chain,
    server: Running,
    /// What came of requests so far.
    pub met: Met,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("met", &self.met).finish_non_exhaustive()
    }
}

impl Edge {
    /// Starts a node on a free port, with one block beside its first.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(whose: Whose) -> Self {
        let genesis = DevGenesis::build(&DevSettings::at(GENESIS_TIME)).expect("the usual chain");
        let store = ChainStore::in_memory(genesis.block);
        let clock = Arc::new(SystemClock);
        let chain = Chain::new(store, ChainSettings::default(), Arc::new(NoMonitor), clock).expect("a chain in memory");
        chain.mine(MineRequest::default()).expect("an empty block");
        let (namespaces, keys) = match whose {
            Whose::Strangers => (Namespaces::of(Namespaces::public()).expect("they are those there are"), Vec::new()),
            Whose::Developers => {
                let accounts = dev_accounts(ACCOUNTS).expect("there are as many");
                (Namespaces::DEVELOPMENT, accounts.iter().map(|account| account.key).collect())
            }
        };
        let settings = Settings { namespaces, access: Access::ANYWHERE, ..Settings::default() };
        let server = serve(chain.clone(), &keys, settings).await.expect("a free port");
        Self { whose, chain, server, met: Met::default() }
    }

    /// Asks what a seed draws.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn try_seed(&mut self, seed: u64) -> Result<(), Fault> {
        let body = draw(seed, self.whose);
        let fault = |what: String| Fault { seed, asked: String::from_utf8_lossy(&body).into_owned(), what };
        self.ask(&body).await.map_err(fault)?;
        if seed.is_multiple_of(LOOK_EVERY) {
            self.goes_on().await.map_err(fault)?;
        }
        Ok(())
    }

    /// The nonce that the node expects next of the account that sends.
    ///
    /// # Panics
    /// When the state of a chain in memory cannot be read.
    #[must_use]
    pub fn next_nonce(&self) -> u64 {
        self.chain.next_nonce(&sender()).expect("it is in memory")
    }

    /// Sends what may be a transaction.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn try_transaction(&mut self, seed: u64, decoded: &Decoded) -> Result<(), Fault> {
        let raw = hex::encode_prefixed(decoded.bytes());
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}).to_string();
        let fault = |what: String| Fault { seed, asked: body.clone(), what };
        let answer = self.ask(body.as_bytes()).await.map_err(fault)?;
        let Some(hash) = answer.get("result") else { return Ok(()) };
        self.met.admitted += 1;
        match (decoded, hash.as_str().and_then(|text| text.parse::<B256>().ok())) {
            (Decoded::No(_), _) => Err(fault("what is no transaction was admitted".to_owned())),
            (Decoded::Yes(bytes), Some(hash)) if hash == keccak256(bytes) => Ok(()),
            (Decoded::Yes(_), hash) => Err(fault(format!("admitted as {hash:?}"))),
        }
    }

    /// Builds a block and is told of it.
    async fn goes_on(&mut self) -> Result<(), String> {
        let before = self.chain.head().block.number();
        self.chain.mine(MineRequest::default()).map_err(|error| format!("no block: {error}"))?;
        let answer = self.ask(br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#).await?;
        let expected = format!("{:#x}", before + 1);
        if answer["result"] == expected.as_str() { Ok(()) } else { Err(format!("block {expected} expected: {answer}")) }
    }

    async fn ask(&mut self, body: &[u8]) -> Result<Value, String> {
        let (status, text) = post(self.server.address(), body).await.map_err(|error| format!("no answer: {error}"))?;
        self.met.asked += 1;
        if !STATUSES.contains(&status) {
            return Err(format!("status {status}: {text}"));
        }
        // Notifications are not answered.
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
        match &answer {
            Value::Array(answers) => answers.iter().try_for_each(|answer| self.judge(answer))?,
            one => self.judge(one)?,
        }
        Ok(answer)
    }

    /// Whether an answer is one.
    fn judge(&mut self, answer: &Value) -> Result<(), String> {
        if answer["jsonrpc"] != "2.0" || answer.get("id").is_none() {
            return Err(format!("no answer of JSON-RPC: {answer}"));
        }
        match (answer.get("result"), answer.get("error")) {
            (Some(_), None) => self.met.results += 1,
            (None, Some(error)) => match error["code"].as_i64() {
                Some(code) if is_known(code) && error["message"].is_string() => {
                    *self.met.errors.entry(code).or_default() += 1;
                }
                _ => return Err(format!("no error for clients: {answer}")),
            },
            _ => return Err(format!("neither a result nor an error, or both: {answer}")),
        }
        Ok(())
    }
}

fn is_known(code: i64) -> bool {
    CODES.contains(&code) || SIMULATION_CODES.contains(&code)
}

/// One request on a connection of its own. Gives status and body.
async fn post(address: SocketAddr, body: &[u8]) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, body.to_owned()))
}
