//! A development node on a free port, and clients of it.

use std::{net::SocketAddr, sync::Arc};

use alloy_network::EthereumWallet;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::core::client::Client;
use parapet_builder::{Beginning, Chain, Clock, Settings as ChainSettings, SystemClock};
use parapet_genesis::{ACCOUNTS, DevGenesis, DevSettings, dev_accounts};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_rpc::{Beginner, Limits, Running, Screening, Settings, serve};
use parapet_state::ChainStore;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// When the chains of these tests begin: in the past, so that time can go on from the machine's clock.
pub(crate) const GENESIS_TIME: u64 = 1_700_000_000;

/// Slots in an epoch, as these chains have it.
pub(crate) const EPOCH_SLOTS: u64 = 1;

/// Runtime code that logs its calldata with topic 7 and returns it.
/// CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY; LOG1(0, CALLDATASIZE, 7); RETURN(0, CALLDATASIZE).
pub(crate) const ECHO: [u8; 12] = hex!("365f5f37 6007 365fa1 365ff3");

/// A node that serves until it is dropped.
pub(crate) struct Dev {
    pub(crate) server: Running,
    pub(crate) chain: Chain,
    pub(crate) signers: Vec<PrivateKeySigner>,
    /// Asks without keys.
    pub(crate) provider: DynProvider,
}

/// What a request was refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Dev {
    pub(crate) async fn start() -> Self {
        Self::with(ChainSettings::default(), Limits::default(), Arc::new(NoMonitor)).await
    }

    pub(crate) async fn with(settings: ChainSettings, limits: Limits, monitor: Arc<dyn Monitor>) -> Self {
        Self::timed(settings, limits, monitor, Arc::new(SystemClock)).await
    }

    pub(crate) async fn timed(
        settings: ChainSettings,
        limits: Limits,
        monitor: Arc<dyn Monitor>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::screening(settings, limits, Screening::Off, monitor, clock).await
    }

    pub(crate) async fn screening(
        settings: ChainSettings,
        limits: Limits,
        screening: Screening,
        monitor: Arc<dyn Monitor>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let chain = Self::chain(&DevSettings::at(GENESIS_TIME), settings, monitor, clock);
        Self::serving(chain, limits, screening, None).await
    }

    /// A chain in memory.
    pub(crate) fn chain(
        begun: &DevSettings,
        settings: ChainSettings,
        monitor: Arc<dyn Monitor>,
        clock: Arc<dyn Clock>,
    ) -> Chain {
        let genesis = DevGenesis::build(begun).unwrap();
        Chain::new(ChainStore::in_memory(genesis.block), settings, monitor, clock).unwrap()
    }

    /// A node whose chain has begun elsewhere, and may begin anew.
    pub(crate) async fn on(
        beginning: Beginning,
        settings: ChainSettings,
        monitor: Arc<dyn Monitor>,
        beginner: Option<Beginner>,
    ) -> Self {
        let chain = Chain::new(beginning, settings, monitor, Arc::new(SystemClock)).unwrap();
        Self::serving(chain, Limits::default(), Screening::Off, beginner).await
    }

    async fn serving(chain: Chain, limits: Limits, screening: Screening, beginner: Option<Beginner>) -> Self {
        Self::served(chain, Settings { limits, screening, beginner, ..Settings::default() }).await
    }

    /// A node whose server has settings of its own.
    pub(crate) async fn served(chain: Chain, settings: Settings) -> Self {
        let keys: Vec<B256> = dev_accounts(ACCOUNTS).unwrap().iter().map(|account| account.key).collect();
        let settings = Settings { client_version: "parapet/test".into(), epoch_slots: EPOCH_SLOTS, ..settings };
        let server = serve(chain.clone(), &keys, settings).await.unwrap();
        let signers = keys.iter().map(|key| PrivateKeySigner::from_bytes(key).unwrap()).collect();
        let url = format!("http://{}", server.address());
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_http(url.parse().unwrap()).erased();
        Self { server, chain, signers, provider }
    }

    pub(crate) fn address(&self, index: usize) -> Address {
        self.signers[index].address()
    }

    /// Asks with the key of an account: nonce, gas, fees and signature are the client's.
    pub(crate) fn wallet(&self, index: usize) -> DynProvider {
        let wallet = EthereumWallet::from(self.signers[index].clone());
        let url = format!("http://{}", self.server.address());
        ProviderBuilder::new().wallet(wallet).connect_http(url.parse().unwrap()).erased()
    }

    /// A WebSocket connection.
    pub(crate) async fn socket(&self) -> Client {
        let url = format!("ws://{}", self.server.address());
        let builder = jsonrpsee::client_transport::ws::WsTransportClientBuilder::default();
        let (sender, receiver) = builder.build(url.parse().unwrap()).await.unwrap();
        Client::builder().build_with_tokio(sender, receiver)
    }

    /// Any request, with its parameters as JSON.
    pub(crate) async fn ask(&self, method: &'static str, params: Value) -> Result<Value, Refusal> {
        self.provider.raw_request::<_, Value>(method.into(), params).await.map_err(|error| {
            let payload = error.as_error_resp().unwrap_or_else(|| panic!("{method}: {error}"));
            Refusal {
                code: payload.code,
                message: payload.message.to_string(),
                data: payload.data.as_ref().map(|data| serde_json::from_str(data.get()).unwrap()),
            }
        })
    }

    /// Bytes as they are, as the body of a POST. Gives status and body.
    pub(crate) async fn post(&self, body: &[u8]) -> (u16, String) {
        let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        exchange(self.server.address(), "POST / HTTP/1.1", &head, body).await
    }

    /// Puts code at a new address by a transaction.
    pub(crate) async fn deploy(&self, runtime: &[u8]) -> TransactionReceipt {
        let request = TransactionRequest::default().create().input(Bytes::from(init_code(runtime)).into());
        self.wallet(0).send_transaction(request).await.unwrap().get_receipt().await.unwrap()
    }

    /// Sends one wei from account 0 to account 1.
    pub(crate) async fn transfer(&self) -> TransactionReceipt {
        let request = TransactionRequest::default().to(self.address(1)).value(U256::ONE);
        self.wallet(0).send_transaction(request).await.unwrap().get_receipt().await.unwrap()
    }
}

/// One HTTP request on a connection of its own. Gives status and body.
pub(crate) async fn exchange(address: SocketAddr, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("{line}\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a long body may close before it has read all of it.
    let _: Result<(), _> = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _: Result<usize, _> = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer but {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Creation code: copies what follows it and returns that.
pub(crate) fn init_code(runtime: &[u8]) -> Vec<u8> {
    let length = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    // PUSH2 length DUP1 PUSH1 10 PUSH0 CODECOPY PUSH0 RETURN
    let mut code = vec![0x61, length[0], length[1], 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
    code.extend(runtime);
    code
}
