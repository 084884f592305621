//! Opening a folder: it must be this chain's, in this format, and its head must be whole. What lies deeper is checked as it
//! is read, and by [`verify`](super::verify) as a whole.

use std::path::Path;

use alloy_consensus::{Header, Sealed};
use parapet_types::{ChainSpec, StateChanges};
use parking_lot::Mutex;
use rocksdb::WriteBatch;

use super::{
    Disk,
    base::Base,
    database::Database,
    database_dir, forked,
    marker::Marker,
    next_store, precheck,
    read::Reader,
    record,
    schema::{
        BEYOND_KEYS, FAMILIES, FORMAT_VERSION, HEADERS, META, META_AMENDMENTS, META_FORMAT, META_HEAD, META_OLDEST,
        META_PARAMS,
    },
    write,
};
use crate::{GenesisBlock, StoreError, StoreSettings, StoredBlock, WorldState};

/// What a folder says of its chain.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) disk: Disk,
    pub(crate) spec: ChainSpec,
    pub(crate) head: StoredBlock,
    pub(crate) world: WorldState,
    pub(crate) amendments: StateChanges,
}

impl Disk {
    /// Opens a folder, or begins a chain in it. Without a genesis, there must be one.
    pub(crate) fn open(
        dir: &Path,
        settings: StoreSettings,
        genesis: Option<&GenesisBlock>,
    ) -> Result<Opened, StoreError> {
        forked::refuse(dir)?;
        let path = database_dir(dir);
        if genesis.is_none() && !path.join("CURRENT").exists() {
            return Err(StoreError::NoChain { path: dir.to_owned() });
        }
        std::fs::create_dir_all(&path).map_err(|source| StoreError::Folder { path: path.clone(), source })?;
        let mut marker = Marker::open(dir)?;
        precheck::check(&path, &mut marker)?;
        let database = Database::open(&path, &settings)?;
        let mut disk = Self {
            reader: Reader::new(database),
            settings,
            marker,
            head: 0,
            oldest: 0,
            store: next_store(),
            bases: Mutex::default(),
            node_bytes: 0,
        };
        if disk.is_new()? {
            disk.begin(WriteBatch::default(), genesis.ok_or_else(|| StoreError::NoChain { path: dir.to_owned() })?)?;
        }
        disk.load(genesis)
    }

    /// Whether nothing was ever written: that there are no blocks without a format was checked before.
    fn is_new(&self) -> Result<bool, StoreError> {
        Ok(self.database().get(META, META_FORMAT.as_bytes())?.is_none())
    }

    /// Drops everything and begins another chain, in one write. Gives the first block and its state.
    pub(crate) fn begin_again(&mut self, genesis: &GenesisBlock) -> Result<(StoredBlock, WorldState), StoreError> {
        self.each_base(Base::drop_later);
        self.store = next_store();
        self.marker.lower(0)?;
        let mut batch = WriteBatch::default();
        for name in FAMILIES {
            batch.delete_range_cf(self.database().family(name), &[][..], &BEYOND_KEYS[..]);
        }
        self.begin(batch, genesis)?;
        (self.head, self.oldest) = (0, 0);
        let (block, world) = (StoredBlock::genesis(genesis.header.clone()), self.head_world(genesis.header.state_root));
        world.check_top()?;
        Ok((block, world))
    }

    fn begin(&mut self, mut batch: WriteBatch, genesis: &GenesisBlock) -> Result<(), StoreError> {
        let spec = serde_json::to_vec(&genesis.spec).expect("parameters are plain data");
        let meta = self.database().family(META);
        batch.put_cf(meta, META_FORMAT, FORMAT_VERSION.to_be_bytes());
        batch.put_cf(meta, META_PARAMS, spec);
        batch.put_cf(meta, META_OLDEST, 0u64.to_be_bytes());
        write::put_block(self.database(), &mut batch, &StoredBlock::genesis(genesis.header.clone()));
        // Whoever opens several folders with one genesis gives each the whole of it.
        write::put_state(self.database(), &mut batch, 0, self.store, &genesis.world);
        self.write(batch, "writing the genesis block")
    }

    fn load(mut self, genesis: Option<&GenesisBlock>) -> Result<Opened, StoreError> {
        self.check_version()?;
        let spec = self.spec()?;
        let first = self.reader.header(0)?.ok_or_else(|| self.missing(HEADERS, &0u64.to_be_bytes()))?;
        if let Some(genesis) = genesis {
            self.check_genesis(&spec, &first, genesis)?;
        }
        let oldest = self.meta(META_OLDEST)?;
        self.oldest = record::decode_number(&oldest).map_err(|reason| self.damaged(META_OLDEST, reason))?;
        let bytes = self.meta(META_HEAD)?;
        let named = record::decode_head(&bytes).map_err(|reason| self.damaged(META_HEAD, reason))?;
        self.marker.check(named.number)?;
        let head = self.reader.block(named.number)?;
        let Some(head) = head.filter(|head| head.hash() == named.hash) else {
            return Err(
                self.damaged(META_HEAD, format!("names block {} {}, which is not there", named.number, named.hash))
            );
        };
        self.head = named.number;
        self.marker.advance(self.head);
        let world = self.head_world(head.header.state_root);
        world.check_top()?;
        let amendments = self.amendments()?;
        Ok(Opened { disk: self, spec, head, world, amendments })
    }

    fn check_version(&self) -> Result<(), StoreError> {
        let bytes = self.meta(META_FORMAT)?;
        let bytes = record::sized(&bytes).map_err(|reason| self.damaged(META_FORMAT, reason))?;
        precheck::supported(&self.database().path, u32::from_be_bytes(bytes))
    }

    fn spec(&self) -> Result<ChainSpec, StoreError> {
        serde_json::from_slice(&self.meta(META_PARAMS)?).map_err(|reason| self.damaged(META_PARAMS, reason))
    }

    /// The chain must be the one that was asked for. A chain is resumed later than it began, so the timestamp of its
    /// genesis may differ.
    fn check_genesis(&self, spec: &ChainSpec, stored: &Sealed<Header>, given: &GenesisBlock) -> Result<(), StoreError> {
        let path = self.database().path.clone();
        if *spec != given.spec {
            let (stored, given) = (Box::new(spec.clone()), Box::new(given.spec.clone()));
            return Err(StoreError::OtherChain { path, stored, given });
        }
        let header = Header { timestamp: stored.timestamp, ..given.header.clone() };
        if header == *stored.inner() {
            return Ok(());
        }
        Err(StoreError::OtherGenesis { path, stored: stored.state_root, given: given.header.state_root })
    }

    /// What was amended since the head.
    fn amendments(&self) -> Result<StateChanges, StoreError> {
        let json = self.database().get(META, META_AMENDMENTS.as_bytes())?;
        let Some(json) = json else { return Ok(StateChanges::default()) };
        serde_json::from_slice(&json).map_err(|reason| self.damaged(META_AMENDMENTS, reason))
    }

    fn meta(&self, key: &'static str) -> Result<Vec<u8>, StoreError> {
        self.database().get(META, key.as_bytes())?.ok_or_else(|| self.missing(META, key.as_bytes()))
    }

    pub(super) fn missing(&self, family: &'static str, key: &[u8]) -> StoreError {
        self.database().corrupted(family, key, "missing")
    }

    fn damaged(&self, key: &'static str, reason: impl std::fmt::Display) -> StoreError {
        self.database().corrupted(META, key.as_bytes(), reason)
    }
}
