//! What a guard says, and Keccak.

use alloy_primitives::{Bytes, keccak256};
use parapet_abi::import::{ALERTS_MAX, DETAIL_BYTES_MAX, ENGINE_CODE_MIN};

use super::{Host, memory};
use crate::End;

impl Host {
    /// `keccak256(data, len, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn keccak256(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<(), End> {
        let [data, len, out] = args;
        let hash = keccak256(memory::bytes(memory, data, len)?);
        memory::room(memory, out, 32)?.copy_from_slice(hash.as_slice());
        self.meter.keccak(u64::from(len));
        self.meter.copied(32);
        Ok(())
    }

    /// `alert(code, detail, len)`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn alert(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<(), End> {
        self.meter.alert();
        let said = self.said(memory, args)?;
        if self.alerts.len() >= ALERTS_MAX as usize {
            return Err(End::Limit);
        }
        self.alerts.push(said);
        Ok(())
    }

    /// `veto(code, detail, len)`: how the hook ends.
    pub fn veto(&mut self, memory: &mut [u8], args: [u32; 3]) -> End {
        match self.said(memory, args) {
            Ok((code, detail)) => End::Vetoed { code, detail },
            Err(end) => end,
        }
    }

    /// A code that is a guard's, and words that are not too long.
    fn said(&mut self, memory: &[u8], [code, detail, len]: [u32; 3]) -> Result<(u16, Bytes), End> {
        let code = u16::try_from(code).ok().filter(|code| *code < ENGINE_CODE_MIN).ok_or(End::Limit)?;
        if len > DETAIL_BYTES_MAX {
            return Err(End::Limit);
        }
        let detail = Bytes::copy_from_slice(memory::bytes(memory, detail, len)?);
        self.meter.copied(u64::from(len));
        Ok((code, detail))
    }
}
