//! What development tools do to the chain's time, and when it mines.

use crate::{BLOCK_TIME_MAX, Chain, ChainError, Mining, chain::Writer, snapshot::with_outlook};

impl Chain {
    /// Moves the chain's time forward from now on, which is not before the head's: blocks that come faster than seconds run
    /// ahead of the clock. Gives the whole offset from the wall clock, in seconds.
    ///
    /// # Errors
    /// [`ChainError::Closed`].
    pub fn increase_time(&self, seconds: u64) -> Result<i64, ChainError> {
        let mut writer = self.writer()?;
        let head = self.head();
        let now = writer.outlook.time.not_before(&*self.0.clock, head.block.header.timestamp);
        let offset = now.saturating_add_unsigned(seconds);
        writer.outlook.time.offset = offset;
        self.publish(with_outlook(&head, writer.outlook));
        Ok(offset)
    }

    /// Has the chain's time run on from a timestamp, in seconds since 1970. Gives the seconds by which it is ahead of the
    /// time so far; zero where it is behind. A block's timestamp is after its parent's whatever the time is.
    ///
    /// # Errors
    /// [`ChainError::Closed`].
    pub fn set_time(&self, timestamp: u64) -> Result<u64, ChainError> {
        let mut writer = self.writer()?;
        let head = self.head();
        let before = writer.outlook.time.timestamp(&*self.0.clock, head.block.header.timestamp);
        writer.outlook.time = writer.outlook.time.running_from(&*self.0.clock, timestamp);
        self.publish(with_outlook(&head, writer.outlook));
        Ok(timestamp.saturating_sub(before))
    }

    /// Has each block follow its parent by so many seconds, whatever the clock says; `None` has the clock decide again.
    /// Gives what held before.
    ///
    /// # Errors
    /// [`ChainError::Closed`].
    pub fn set_block_spacing(&self, seconds: Option<u64>) -> Result<Option<u64>, ChainError> {
        let mut writer = self.writer()?;
        let before = std::mem::replace(&mut writer.outlook.time.spacing, seconds);
        self.publish(with_outlook(&self.head(), writer.outlook));
        Ok(before)
    }

    /// Fixes the timestamp of the next block, in seconds since 1970; time runs on from there.
    ///
    /// # Errors
    /// [`ChainError::Timestamp`] when it is not after the head's.
    pub fn set_next_block_timestamp(&self, timestamp: u64) -> Result<(), ChainError> {
        self.fix_next_timestamp(&mut *self.writer()?, timestamp)
    }

    pub(crate) fn fix_next_timestamp(&self, writer: &mut Writer, timestamp: u64) -> Result<(), ChainError> {
        let head = self.head();
        if timestamp <= head.block.header.timestamp {
            return Err(ChainError::Timestamp { given: timestamp, head: head.block.header.timestamp });
        }
        writer.outlook.time.next = Some(timestamp);
        self.publish(with_outlook(&head, writer.outlook));
        Ok(())
    }

    /// Changes when blocks are mined. Where transactions are mined as they come from now on, what is ready
    /// is mined.
    ///
    /// # Errors
    /// [`ChainError::BlockTime`] for an interval that cannot be used; else what mining can give.
    pub fn set_mining(&self, mining: Mining) -> Result<(), ChainError> {
        if let Some(every) = mining.interval()
            && (every.is_zero() || every > BLOCK_TIME_MAX)
        {
            return Err(ChainError::BlockTime(every.as_secs()));
        }
        let mut writer = self.writer()?;
        self.0.mining.send_replace(mining);
        if mining.is_instant() {
            self.settle(&mut writer)?;
        }
        Ok(())
    }
}
