//! Writes the registry's storage as the contract would, without executing it: for genesis files and tests.
//!
//! Invariant: what is written here, [`RegistryReader`](crate::RegistryReader) reads back as it was.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, Selector, U256, keccak256};
use parapet_monitor::{MemoryAccount, MemoryAccounts, Mode, ModuleHash};

use crate::{Attachment, CHUNK_BYTES_MAX, Failure, REGISTRY_ADDRESS, layout};

/// Modules and attachments that are to stand in storage.
#[derive(Clone, Debug, Default)]
pub struct RegistryImage {
    /// Who may pause.
    pub guardian: Address,
    /// Who may attach guards to the whole chain.
    pub governance: Address,
    /// Bytes of each module, in order of registration.
    pub modules: Vec<Bytes>,
    /// Live attachments.
    pub attachments: Vec<Attachment>,
}

impl RegistryImage {
    /// Adds a module and names it.
    pub fn register(&mut self, bytes: Bytes) -> ModuleHash {
        let hash = keccak256(&bytes);
        self.modules.push(bytes);
        hash
    }

    /// A name for this content: equal for equal content, zero for none. The contract's own head is another hash, over
    /// the history of changes; whoever starts a chain from an image starts its history there.
    #[must_use]
    pub fn head(&self) -> B256 {
        if self.modules.is_empty() && self.attachments.is_empty() {
            return B256::ZERO;
        }
        let mut content = Vec::new();
        for module in &self.modules {
            content.extend_from_slice(keccak256(module).as_slice());
        }
        for (slot, value) in self.attachment_storage() {
            content.extend_from_slice(&slot.to_be_bytes::<32>());
            content.extend_from_slice(&value.to_be_bytes::<32>());
        }
        keccak256(content)
    }

    /// The registry's storage, by slot.
    #[must_use]
    pub fn storage(&self) -> BTreeMap<U256, U256> {
        let mut out = self.attachment_storage();
        out.insert(layout::HEAD, self.head().into());
        out.insert(layout::GUARDIAN, self.guardian.into_word().into());
        out.insert(layout::GOVERNANCE, self.governance.into_word().into());
        let hashes: Vec<B256> = self.modules.iter().map(keccak256).collect();
        write_list(&mut out, layout::MODULE_HASHES, &hashes);
        for (hash, bytes) in hashes.iter().zip(&self.modules) {
            let base = layout::value_of(layout::MODULES, *hash);
            out.insert(base, U256::from(bytes.len()) << 160);
            let chunks: Vec<B256> = chunks(bytes).map(|(address, _)| address.into_word()).collect();
            write_list(&mut out, base.wrapping_add(layout::module::CHUNKS), &chunks);
        }
        out
    }

    /// Writes the registry's storage, replacing what was there, and the data contracts of the modules.
    pub fn write(&self, accounts: &mut MemoryAccounts) {
        accounts.entry(REGISTRY_ADDRESS).or_default().storage = self.storage();
        for (address, code) in self.modules.iter().flat_map(chunks) {
            accounts.insert(address, MemoryAccount { code, ..MemoryAccount::default() });
        }
    }

    fn attachment_storage(&self) -> BTreeMap<U256, U256> {
        let mut out = BTreeMap::new();
        let ids: Vec<B256> = self.attachments.iter().map(|attachment| attachment.id).collect();
        write_list(&mut out, layout::ATTACHMENT_IDS, &ids);
        let mut by_account: BTreeMap<Address, Vec<B256>> = BTreeMap::new();
        for (index, attachment) in (1_u64..).zip(&self.attachments) {
            write_attachment(&mut out, attachment);
            out.insert(layout::value_of(layout::ATTACHMENT_POSITIONS, attachment.id), U256::from(index));
            let whole_chain = attachment.accounts.is_empty().then_some(&Address::ZERO);
            for account in attachment.accounts.iter().chain(whole_chain) {
                by_account.entry(*account).or_default().push(attachment.id);
            }
        }
        for (account, ids) in by_account {
            write_list(&mut out, layout::value_of(layout::IDS_BY_ACCOUNT, layout::key(account)), &ids);
        }
        out
    }
}

/// Data contracts of a module: where each lies, and its code.
fn chunks(module: &Bytes) -> impl Iterator<Item = (Address, Bytes)> + '_ {
    let size = usize::try_from(CHUNK_BYTES_MAX).expect("fits every usize");
    module.chunks(size).map(|chunk| {
        let code = [&[0], chunk].concat();
        (Address::from_word(keccak256(&code)), code.into())
    })
}

fn write_attachment(out: &mut BTreeMap<U256, U256>, attachment: &Attachment) {
    use layout::attachment as at;
    let base = layout::value_of(layout::ATTACHMENTS, attachment.id);
    let mode = match attachment.mode {
        None => 0,
        Some(Mode::Shadow) => 1,
        Some(Mode::Enforce) => 2,
    };
    let failure = match attachment.failure {
        Failure::Closed => 0,
        Failure::Open => 1,
    };
    let standing = U256::from_be_bytes(attachment.manager.into_word().0)
        | U256::from(mode) << 160
        | U256::from(u8::from(attachment.paused)) << 168
        | U256::from(u8::from(attachment.demoted)) << 176
        | U256::from(attachment.delay) << 184
        | U256::from(attachment.revision) << 216;
    let terms = U256::from(failure)
        | U256::from(attachment.priority) << 8
        | U256::from(attachment.fuel_max.0) << 40
        | U256::from(attachment.demotion_share) << 104
        | U256::from(attachment.triggers.0) << 120;
    out.insert(base.wrapping_add(at::MODULE), attachment.module.into());
    out.insert(base.wrapping_add(at::STANDING), standing);
    out.insert(base.wrapping_add(at::TERMS), terms);
    write_selectors(out, base.wrapping_add(at::ESCAPES), &attachment.escapes);
    out.insert(base.wrapping_add(at::ORIGIN), U256::from(attachment.attached_at) << 160);
    let accounts: Vec<B256> = attachment.accounts.iter().map(|account| account.into_word()).collect();
    write_list(out, base.wrapping_add(at::ACCOUNTS), &accounts);
    write_bytes(out, base.wrapping_add(at::CONFIGURATION), &attachment.configuration);
}

fn write_selectors(out: &mut BTreeMap<U256, U256>, list: U256, selectors: &[Selector]) {
    out.insert(list, U256::from(selectors.len()));
    let per_word = usize::try_from(layout::SELECTORS_PER_WORD).expect("eight");
    for (index, selectors) in (0..).zip(selectors.chunks(per_word)) {
        let word = selectors
            .iter()
            .rev()
            .fold(U256::ZERO, |word, selector| word << 32 | U256::from(u32::from_be_bytes(selector.0)));
        out.insert(layout::element_of(list, index), word);
    }
}

fn write_list(out: &mut BTreeMap<U256, U256>, list: U256, elements: &[B256]) {
    out.insert(list, U256::from(elements.len()));
    for (index, element) in (0..).zip(elements) {
        out.insert(layout::element_of(list, index), (*element).into());
    }
}

fn write_bytes(out: &mut BTreeMap<U256, U256>, slot: U256, bytes: &[u8]) {
    let mut words = bytes.chunks(32).map(|chunk| {
        let mut word = [0; 32];
        word[..chunk.len()].copy_from_slice(chunk);
        U256::from_be_bytes(word)
    });
    if bytes.len() < 32 {
        let data = words.next_back().unwrap_or_default();
        out.insert(slot, data | U256::from(2 * bytes.len()));
        return;
    }
    out.insert(slot, U256::from(2 * bytes.len() + 1));
    for (index, word) in (0..).zip(words) {
        out.insert(layout::element_of(slot, index), word);
    }
}
