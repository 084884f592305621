//! Words: read, set, added to within a bound, raised.

use alloy_primitives::U256;

use super::{Host, Shelf};
use crate::{End, reference::memory};

impl Host {
    /// `store_get(key, key_len, out) -> found`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn store_get(&mut self, memory: &mut [u8], [key, key_len, out]: [u32; 3]) -> Result<u32, End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let room = memory::room(memory, out, 32)?;
        self.meter.look();
        let word = self.held(&key);
        room.copy_from_slice(&word.to_be_bytes::<32>());
        self.meter.copied(32);
        Ok(u32::from(!word.is_zero()))
    }

    /// `store_set(key, key_len, value)`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn store_set(&mut self, memory: &mut [u8], [key, key_len, value]: [u32; 3]) -> Result<(), End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let value = U256::from_be_bytes(self.word(memory, value)?);
        self.write(key, value)
    }

    /// `store_add(key, key_len, amount, cap) -> added`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn store_add(&mut self, memory: &mut [u8], [key, key_len, amount, cap]: [u32; 4]) -> Result<u32, End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let amount = U256::from_be_bytes(self.word(memory, amount)?);
        let cap = U256::from_be_bytes(self.word(memory, cap)?);
        self.meter.look();
        match self.held(&key).checked_add(amount).filter(|sum| *sum <= cap) {
            Some(sum) => self.write(key, sum).map(|()| 1),
            None => Ok(0),
        }
    }

    /// `store_max(key, key_len, value)`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn store_max(&mut self, memory: &mut [u8], [key, key_len, value]: [u32; 3]) -> Result<(), End> {
        let key = self.hashed_key(memory, key, key_len)?;
        let value = U256::from_be_bytes(self.word(memory, value)?);
        let raised = self.held(&key).max(value);
        self.write(key, raised)
    }

    fn held(&self, key: &[u8]) -> U256 {
        self.own.words.get(key).copied().unwrap_or_default()
    }

    fn write(&mut self, key: Vec<u8>, word: U256) -> Result<(), End> {
        self.note_write(Shelf::Word, &key)?;
        self.own.words.insert(key, word);
        Ok(())
    }
}
