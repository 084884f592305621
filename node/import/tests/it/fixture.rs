//! A genesis, and a valid block on it with one transfer in it.

use alloy_consensus::{
    Block, BlockBody, EMPTY_OMMER_ROOT_HASH, Header, SignableTransaction as _, TxEip1559, TxEnvelope, TxLegacy,
    proofs::{calculate_transaction_root, calculate_withdrawals_root, ordered_trie_root_with_encoder},
    transaction::Recovered,
};
use alloy_eips::{eip2718::Encodable2718 as _, eip4895::Withdrawal};
use alloy_primitives::{Address, B256, Bloom, Sealable as _, Sealed, TxKind, U256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_genesis::{DevGenesis, DevSettings};
use parapet_import::{ImportError, Imported, IncomingBlock, Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_state::WorldState;
use parapet_types::{Ancestors, BlockContext, ChainParams, Hardfork, StateReader};

/// Base fee after an empty block with 1 gwei: an eighth less.
pub(crate) const BASE_FEE: u64 = 875_000_000;
/// When the chain begins.
const START: u64 = 1_700_000_000;

/// Every fork that blocks can follow.
pub(crate) const FORKS: [Hardfork; 6] =
    [Hardfork::Paris, Hardfork::Shanghai, Hardfork::Cancun, Hardfork::Prague, Hardfork::Osaka, Hardfork::BPO1];

/// A block that is valid, and all it stands on.
pub(crate) struct Case {
    pub(crate) params: ChainParams,
    pub(crate) parent: Sealed<Header>,
    pub(crate) world: WorldState,
    pub(crate) ancestors: Ancestors,
    pub(crate) block: Block<TxEnvelope>,
    pub(crate) key: PrivateKeySigner,
}

impl Case {
    /// A valid block of a fork.
    pub(crate) fn new(hardfork: Hardfork) -> Self {
        let mut settings = DevSettings::at(START);
        settings.params.hardfork = hardfork;
        let genesis = DevGenesis::build(&settings).unwrap();
        let key = PrivateKeySigner::from_bytes(&genesis.accounts[0].key).unwrap();
        let parent = genesis.block.header.seal_slow();
        let mut case = Self {
            params: settings.params,
            ancestors: Ancestors::from([(0, parent.hash())]),
            block: Block::new(header(hardfork, &parent), BlockBody::default()),
            world: genesis.block.world,
            parent,
            key,
        };
        let transfer = if hardfork >= Hardfork::LONDON {
            case.transfer(0)
        } else {
            case.old_transfer(0, Address::repeat_byte(7), 1, None)
        };
        case.block.body.transactions = vec![transfer];
        case.block.body.withdrawals = (hardfork >= Hardfork::Shanghai).then(|| {
            vec![Withdrawal { index: 0, validator_index: 1, address: Address::repeat_byte(9), amount: 5 }].into()
        });
        case.fill();
        case
    }

    /// Wei to somebody, signed as before EIP-1559, and before EIP-155 where no chain is named.
    pub(crate) fn old_transfer(&self, nonce: u64, to: Address, wei: u64, chain_id: Option<u64>) -> TxEnvelope {
        let (to, value) = (TxKind::Call(to), U256::from(wei));
        let tx = TxLegacy { chain_id, nonce, gas_price: 1, gas_limit: 21_000, to, value, ..TxLegacy::default() };
        let signature = self.key.sign_hash_sync(&tx.signature_hash()).unwrap();
        tx.into_signed(signature).into()
    }

    /// One ether wei to somebody, signed.
    pub(crate) fn transfer(&self, nonce: u64) -> TxEnvelope {
        let tx = TxEip1559 {
            chain_id: self.params.chain_id,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 2_000_000_000,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(Address::repeat_byte(7)),
            value: U256::ONE,
            ..TxEip1559::default()
        };
        let signature = self.key.sign_hash_sync(&tx.signature_hash()).unwrap();
        tx.into_signed(signature).into()
    }

    /// Roots of the body, as they follow from it.
    pub(crate) fn fill_body(&mut self) {
        let Block { header, body } = &mut self.block;
        header.transactions_root = calculate_transaction_root(&body.transactions);
        header.withdrawals_root = body.withdrawals.as_ref().map(|all| calculate_withdrawals_root(all));
    }

    /// What execution gives, into the header.
    pub(crate) fn fill(&mut self) {
        self.fill_body();
        let signer = self.key.address();
        let recovered = |tx: &TxEnvelope| Recovered::new_unchecked(tx.clone(), signer);
        let transactions: Vec<_> = self.block.body.transactions.iter().map(recovered).collect();
        let body = &self.block.body;
        let withdrawals = body.withdrawals.clone().unwrap_or_default();
        let context = BlockContext::of_block(self.params.hardfork, &self.block.header, &body.ommers, &withdrawals);
        let at = Point { params: &self.params, world: &self.world, ancestors: &self.ancestors, block: &context };
        let input = BlockInput {
            at,
            transactions: &transactions,
            admission: Admission::Import,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let executed = execute_block(&input, &NoMonitor, Mode::Sequential).unwrap();
        let header = &mut self.block.header;
        header.gas_used = executed.gas_used;
        header.receipts_root = ordered_trie_root_with_encoder(&executed.included, |included, out| {
            included.receipt.encode_2718(out);
        });
        let blooms = executed.included.iter().map(|included| *included.receipt.logs_bloom());
        header.logs_bloom = blooms.fold(Bloom::ZERO, |all, bloom| all | bloom);
        header.state_root = self.world.apply(&executed.changes).unwrap().root();
        if header.requests_hash.is_some() {
            header.requests_hash = Some(executed.requests.requests_hash());
        }
    }

    /// The block as it would come in.
    pub(crate) fn incoming(&self) -> IncomingBlock {
        IncomingBlock::decode(&alloy_rlp::encode(&self.block)).unwrap()
    }

    /// Imports the block as it stands.
    pub(crate) fn import(&self) -> Result<Imported<WorldState>, ImportError> {
        self.import_on(&self.world, &self.incoming())
    }

    /// Imports a block on a state.
    pub(crate) fn import_on(
        &self,
        world: &dyn StateReader,
        block: &IncomingBlock,
    ) -> Result<Imported<WorldState>, ImportError> {
        let parent = Parent { header: Some(&self.parent), world, ancestors: &self.ancestors };
        import_block(&self.params, parent, block, &NoMonitor, Mode::Sequential, |changes| {
            let after = self.world.apply(changes).unwrap();
            Ok((after.root(), after))
        })
    }

    /// Why the block is not imported.
    pub(crate) fn refusal(&self) -> ImportError {
        self.import().map(|_| ()).expect_err("the block breaks a rule")
    }
}

fn header(hardfork: Hardfork, parent: &Sealed<Header>) -> Header {
    let since = |fork| hardfork >= fork;
    Header {
        parent_hash: parent.hash(),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: Address::repeat_byte(0xfe),
        number: 1,
        gas_limit: parent.gas_limit,
        timestamp: parent.timestamp + 12,
        extra_data: vec![1; 32].into(),
        mix_hash: B256::repeat_byte(3),
        base_fee_per_gas: since(Hardfork::LONDON).then_some(BASE_FEE),
        difficulty: if since(Hardfork::Paris) { U256::ZERO } else { U256::from(131_072) },
        blob_gas_used: since(Hardfork::Cancun).then_some(0),
        excess_blob_gas: since(Hardfork::Cancun).then_some(0),
        parent_beacon_block_root: since(Hardfork::Cancun).then_some(B256::repeat_byte(4)),
        requests_hash: since(Hardfork::Prague).then_some(B256::ZERO),
        ..Header::default()
    }
}
