//! Reads journals. Bytes are from a file: whatever they are, the outcome is a journal or a [`Fault`].

use parapet_abi::{FrameStatus, Record};
use zerocopy::IntoBytes as _;

use super::{CUT, END, Ended, Entry, Fault, HOOK, MAGIC, Played};
use crate::mock::{Hook, Said, State, World};

impl Played {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut rest = Reader(bytes.strip_prefix(MAGIC).ok_or(Fault::NoJournal)?);
        let mut played = Self { descriptor: rest.text()?, test: rest.text()?, ..Self::default() };
        while !rest.0.is_empty() {
            match rest.byte()? {
                HOOK => played.entries.push(rest.hook()?),
                END => {
                    let ended = if rest.byte()? == 1 { Ended::Committed } else { Ended::Dropped };
                    played.entries.push(Entry::End(ended));
                }
                CUT => played.is_cut = true,
                _ => return Err(Fault::Broken),
            }
        }
        Ok(played)
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn hook(&mut self) -> Result<Entry, Fault> {
        let (number, frame) = (self.byte()?, self.number()?);
        let hook = match number {
            0 => Hook::Init,
            1 => Hook::OnCall(frame),
            2 => Hook::OnCallEnd(frame),
            3 => Hook::OnTx,
            _ => return Err(Fault::Broken),
        };
        let world = Box::new(self.world()?);
        let said = |reader: &mut Self| {
            let code = u16::try_from(reader.number()?).map_err(|_| Fault::Broken)?;
            Ok(Said { hook, code, detail: reader.text()? })
        };
        Ok(Entry::Hook { world, hook, alerts: self.list(said)?, veto: self.list(said)?.pop() })
    }

    fn world(&mut self) -> Result<World, Fault> {
        let mut world = World { config: self.bytes()?.to_vec(), ..World::default() };
        world.context = self.records()?.pop().ok_or(Fault::Broken)?;
        world.accounts = self.records()?;
        world.frames = self.records()?;
        world.accesses = self.records()?;
        world.flows = self.records()?;
        world.logs = self.records()?;
        world.code_changes = self.records()?;
        world.slot_changes = self.records()?;
        world.preimages = self.records()?;
        world.authorizations = self.records()?;
        world.delegates = self.records()?;
        for data in [&mut world.inputs, &mut world.outputs, &mut world.log_data] {
            *data = self.list(|reader| Ok(reader.bytes()?.to_vec()))?;
        }
        world.pre_tx = self.state()?;
        world.now = self.state()?;
        world.forks = self.list(|reader| Ok((reader.fork()?, reader.state()?)))?.into_iter().collect();
        let answer = |reader: &mut Self| {
            let question = (reader.fork()?, reader.array()?, reader.bytes()?.to_vec());
            let status = FrameStatus::from_u8(reader.byte()?).ok_or(Fault::Broken)?;
            Ok((question, (status, reader.bytes()?.to_vec())))
        };
        world.answers = self.list(answer)?.into_iter().collect();
        Ok(world)
    }

    fn state(&mut self) -> Result<State, Fault> {
        let storage = self.list(|reader| Ok(((reader.array()?, reader.array()?), reader.array()?)))?;
        let balances = self.list(|reader| Ok((reader.array()?, reader.array()?)))?;
        let code_hashes = self.list(|reader| Ok((reader.array()?, reader.array()?)))?;
        Ok(State {
            storage: storage.into_iter().collect(),
            balances: balances.into_iter().collect(),
            code_hashes: code_hashes.into_iter().collect(),
        })
    }

    fn fork(&mut self) -> Result<[u32; 2], Fault> {
        Ok([self.number()?, self.number()?])
    }

    fn records<R: Record>(&mut self) -> Result<Vec<R>, Fault> {
        let bytes = self.bytes()?;
        if !bytes.len().is_multiple_of(size_of::<R>()) {
            return Err(Fault::Broken);
        }
        let mut records = R::new_vec_zeroed(bytes.len() / size_of::<R>()).map_err(|_| Fault::Broken)?;
        records.as_mut_bytes().copy_from_slice(bytes);
        Ok(records)
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let count = self.number()?;
        // Nothing is reserved for a count that the bytes may not hold.
        (0..count).map(|_| read(self)).collect()
    }

    fn text(&mut self) -> Result<String, Fault> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Fault::Broken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.bytes()?.try_into().map_err(|_| Fault::Broken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let (byte, rest) = self.0.split_first().ok_or(Fault::Broken)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let (number, rest) = self.0.split_first_chunk().ok_or(Fault::Broken)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Result<&[u8], Fault> {
        let len = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Fault::Broken)?;
        self.0 = rest;
        Ok(bytes)
    }
}
