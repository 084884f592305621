//! Walks the registry's storage at one fork of state.

use alloy_primitives::{Address, B256, Bytes, Selector, U256, keccak256};
use parapet_monitor::{AttachmentId, Fork, Fuel, Mode, ModuleHash, StateView};

use crate::{
    ACCOUNTS_MAX, ATTACHMENTS_MAX, ATTACHMENTS_OF_ACCOUNT_MAX, Attachment, CHUNK_BYTES_MAX, CHUNKS_MAX,
    CONFIGURATION_BYTES_MAX, ESCAPES_MAX, FUEL_MAX, Failure, MODULE_BYTES_MAX, REGISTRY_ADDRESS, RegistryError,
    SHARE_MAX, SelectedTriggers, layout,
};

/// A registered module, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Keccak-256 of its bytes.
    pub hash: ModuleHash,
    /// Who registered it.
    pub uploader: Address,
    /// Its length, in bytes.
    pub size: u32,
    /// Number of the block it was registered in.
    pub registered_at: u64,
    /// The data contracts that hold it, in order.
    pub chunks: Vec<Address>,
}

/// Reads the registry at one fork.
pub struct RegistryReader<'a> {
    view: &'a mut dyn StateView,
    fork: Fork,
}

impl std::fmt::Debug for RegistryReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryReader").field("fork", &self.fork).finish_non_exhaustive()
    }
}

impl<'a> RegistryReader<'a> {
    /// Reads through `view`, at `fork`.
    pub fn new(view: &'a mut dyn StateView, fork: Fork) -> Self {
        Self { view, fork }
    }

    /// The unique name of the registry's content; zero: nothing ever happened.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn head(&mut self) -> Result<B256, RegistryError> {
        Ok(self.word(layout::HEAD)?.into())
    }

    /// Who may pause.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn guardian(&mut self) -> Result<Address, RegistryError> {
        self.word(layout::GUARDIAN).map(layout::unpack_address)
    }

    /// Who may attach guards to the whole chain; zero: nobody.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn governance(&mut self) -> Result<Address, RegistryError> {
        self.word(layout::GOVERNANCE).map(layout::unpack_address)
    }

    /// Ids of all live attachments, in the contract's own order, which means nothing.
    ///
    /// # Errors
    /// [`RegistryError::Limit`] above [`ATTACHMENTS_MAX`], [`RegistryError::State`].
    pub fn attachment_ids(&mut self) -> Result<Vec<AttachmentId>, RegistryError> {
        self.words(layout::ATTACHMENT_IDS, "number of attachments", B256::ZERO, ATTACHMENTS_MAX)
    }

    /// Number of live attachments, whatever it is.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn attachment_count(&mut self) -> Result<u64, RegistryError> {
        self.word(layout::ATTACHMENT_IDS).map(|count| count.saturating_to())
    }

    /// Ids of an account's attachments.
    ///
    /// # Errors
    /// [`RegistryError::Limit`] above [`ATTACHMENTS_OF_ACCOUNT_MAX`], [`RegistryError::State`].
    pub fn attachments_of(&mut self, account: Address) -> Result<Vec<AttachmentId>, RegistryError> {
        let key = layout::key(account);
        let list = layout::value_of(layout::IDS_BY_ACCOUNT, key);
        self.words(list, "number of attachments", key, ATTACHMENTS_OF_ACCOUNT_MAX)
    }

    /// One attachment, or `None` if there is none of that name.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read or storage is damaged.
    pub fn attachment(&mut self, id: AttachmentId) -> Result<Option<Attachment>, RegistryError> {
        use layout::attachment as at;
        let Some(module) = self.module_of(id)? else { return Ok(None) };
        let base = layout::value_of(layout::ATTACHMENTS, id);
        let standing = self.field(base, at::STANDING)?;
        let terms = self.field(base, at::TERMS)?;
        let mode = match layout::unpack(standing, 160, 8) {
            0 => None,
            1 => Some(Mode::Shadow),
            2 => Some(Mode::Enforce),
            value => return Err(RegistryError::Value { what: "mode", name: id, value }),
        };
        let failure = match layout::unpack(terms, 0, 8) {
            0 => Failure::Closed,
            1 => Failure::Open,
            value => return Err(RegistryError::Value { what: "failure", name: id, value }),
        };
        let fuel_max = bounded("fuel", id, U256::from(layout::unpack(terms, 40, 64)), FUEL_MAX)?;
        let share = U256::from(layout::unpack(terms, 104, 16));
        let share = bounded("share that demotes", id, share, SHARE_MAX.into())?;
        Ok(Some(Attachment {
            id,
            module,
            manager: layout::unpack_address(standing),
            mode,
            paused: layout::unpack(standing, 168, 8) != 0,
            demoted: layout::unpack(standing, 176, 8) != 0,
            delay: layout::unpack_u32(standing, 184),
            revision: layout::unpack_u32(standing, 216),
            failure,
            priority: layout::unpack_u32(terms, 8),
            fuel_max: Fuel(fuel_max),
            demotion_share: u16::try_from(share).expect("at most SHARE_MAX"),
            triggers: SelectedTriggers(layout::unpack_u32(terms, 120)),
            escapes: self.selectors(base.wrapping_add(at::ESCAPES), id)?,
            attached_at: layout::unpack(self.field(base, at::ORIGIN)?, 160, 64),
            accounts: self.addresses(base.wrapping_add(at::ACCOUNTS), "number of accounts", id, ACCOUNTS_MAX)?,
            configuration: self.bytes(base.wrapping_add(at::CONFIGURATION), id)?,
        }))
    }

    /// Which guard an attachment has; `None` if there is no such attachment.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn module_of(&mut self, id: AttachmentId) -> Result<Option<ModuleHash>, RegistryError> {
        let base = layout::value_of(layout::ATTACHMENTS, id);
        let module: B256 = self.field(base, layout::attachment::MODULE)?.into();
        Ok((!module.is_zero()).then_some(module))
    }

    /// Whether an attachment is paused; not if there is no such attachment.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn is_paused(&mut self, id: AttachmentId) -> Result<bool, RegistryError> {
        let base = layout::value_of(layout::ATTACHMENTS, id);
        Ok(layout::unpack(self.field(base, layout::attachment::STANDING)?, 168, 8) != 0)
    }

    /// The least that changes wait, in seconds, at a block time in seconds.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn delay_min(&mut self, now_s: u64) -> Result<u32, RegistryError> {
        let minimum = self.word(layout::MINIMUM)?;
        let offset = if now_s < layout::unpack(minimum, 64, 64) { 0 } else { 32 };
        Ok(layout::unpack_u32(minimum, offset))
    }

    /// Which of its guard's triggers wake an attachment; all if there is no such attachment.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn triggers_of(&mut self, id: AttachmentId) -> Result<SelectedTriggers, RegistryError> {
        let base = layout::value_of(layout::ATTACHMENTS, id);
        let terms = self.field(base, layout::attachment::TERMS)?;
        Ok(SelectedTriggers(layout::unpack_u32(terms, 120)))
    }

    /// The configuration of an attachment; empty if there is no such attachment.
    ///
    /// # Errors
    /// [`RegistryError::Limit`] above [`CONFIGURATION_BYTES_MAX`], [`RegistryError::State`].
    pub fn configuration_of(&mut self, id: AttachmentId) -> Result<Bytes, RegistryError> {
        let base = layout::value_of(layout::ATTACHMENTS, id);
        self.bytes(base.wrapping_add(layout::attachment::CONFIGURATION), id)
    }

    /// Number of registered modules. The list only ever grows.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn module_count(&mut self) -> Result<u64, RegistryError> {
        self.word(layout::MODULE_HASHES).map(|count| count.saturating_to())
    }

    /// Hash of a module by its position in order of registration; zero beyond the end.
    ///
    /// # Errors
    /// [`RegistryError::State`].
    pub fn module_at(&mut self, index: u64) -> Result<ModuleHash, RegistryError> {
        self.word(layout::element_of(layout::MODULE_HASHES, index)).map(B256::from)
    }

    /// What is known of a module, without its bytes.
    ///
    /// # Errors
    /// [`RegistryError::UnknownModule`], or it cannot be read or storage is damaged.
    pub fn module(&mut self, hash: ModuleHash) -> Result<Module, RegistryError> {
        let base = layout::value_of(layout::MODULES, hash);
        let origin = self.field(base, layout::module::ORIGIN)?;
        let size = bounded("size", hash, U256::from(layout::unpack(origin, 160, 32)), MODULE_BYTES_MAX)?;
        if size == 0 {
            return Err(RegistryError::UnknownModule(hash));
        }
        Ok(Module {
            hash,
            uploader: layout::unpack_address(origin),
            size: u32::try_from(size).expect("at most MODULE_BYTES_MAX"),
            registered_at: layout::unpack(origin, 192, 64),
            chunks: self.addresses(base.wrapping_add(layout::module::CHUNKS), "number of chunks", hash, CHUNKS_MAX)?,
        })
    }

    /// The bytes of a module, whose hash is its name.
    ///
    /// # Errors
    /// [`RegistryError::Chunk`], [`RegistryError::Size`], [`RegistryError::Hash`] when they are not what was
    /// registered; [`RegistryError::State`].
    pub fn module_bytes(&mut self, module: &Module) -> Result<Bytes, RegistryError> {
        let expected = u64::from(module.size);
        let mut bytes = Vec::with_capacity(module.size as usize);
        for &chunk in &module.chunks {
            let code = self.view.code(self.fork, chunk)?;
            match code.split_first() {
                Some((0, data)) if !data.is_empty() && data.len() as u64 <= CHUNK_BYTES_MAX => {
                    bytes.extend_from_slice(data);
                }
                _ => return Err(RegistryError::Chunk { module: module.hash, chunk }),
            }
        }
        if bytes.len() as u64 != expected {
            return Err(RegistryError::Size { module: module.hash, expected, actual: bytes.len() as u64 });
        }
        let actual = keccak256(&bytes);
        if actual != module.hash {
            return Err(RegistryError::Hash { module: module.hash, actual });
        }
        Ok(bytes.into())
    }

    fn word(&mut self, slot: U256) -> Result<U256, RegistryError> {
        Ok(self.view.storage(self.fork, REGISTRY_ADDRESS, slot)?)
    }

    fn field(&mut self, base: U256, field: U256) -> Result<U256, RegistryError> {
        self.word(base.wrapping_add(field))
    }

    fn words(&mut self, list: U256, what: &'static str, name: B256, max: u64) -> Result<Vec<B256>, RegistryError> {
        let count = bounded(what, name, self.word(list)?, max)?;
        (0..count).map(|index| self.word(layout::element_of(list, index)).map(B256::from)).collect()
    }

    fn addresses(
        &mut self,
        list: U256,
        what: &'static str,
        name: B256,
        max: u64,
    ) -> Result<Vec<Address>, RegistryError> {
        Ok(self.words(list, what, name, max)?.into_iter().map(Address::from_word).collect())
    }

    /// Solidity's `bytes4[]`: eight to a word, the first in its low-order end.
    fn selectors(&mut self, list: U256, name: B256) -> Result<Vec<Selector>, RegistryError> {
        let count = bounded("number of escapes", name, self.word(list)?, ESCAPES_MAX)?;
        let mut selectors = Vec::new();
        for index in 0..count {
            let word = self.word(layout::element_of(list, index / layout::SELECTORS_PER_WORD))?;
            let offset = usize::try_from(index % layout::SELECTORS_PER_WORD).expect("below eight") * 32;
            selectors.push(Selector::from(layout::unpack_u32(word, offset).to_be_bytes()));
        }
        Ok(selectors)
    }

    /// Solidity's `bytes`: up to 31 lie in the slot itself before twice their length, more lie apart and the slot holds
    /// twice their length plus one.
    fn bytes(&mut self, slot: U256, name: B256) -> Result<Bytes, RegistryError> {
        let head = self.word(slot)?;
        if !head.bit(0) {
            let len = bounded("length of the short configuration", name, U256::from(layout::unpack(head, 1, 7)), 31)?;
            let len = usize::try_from(len).expect("at most 31");
            return Ok(Bytes::copy_from_slice(&head.to_be_bytes::<32>()[..len]));
        }
        let len = bounded("length of the configuration", name, head >> 1, CONFIGURATION_BYTES_MAX)?;
        let mut bytes = Vec::new();
        for index in 0..len.div_ceil(32) {
            bytes.extend_from_slice(&self.word(layout::element_of(slot, index))?.to_be_bytes::<32>());
        }
        bytes.truncate(usize::try_from(len).expect("at most CONFIGURATION_BYTES_MAX"));
        Ok(bytes.into())
    }
}

fn bounded(what: &'static str, name: B256, value: U256, max: u64) -> Result<u64, RegistryError> {
    let value = value.saturating_to();
    if value > max { Err(RegistryError::Limit { what, name, value, max }) } else { Ok(value) }
}
