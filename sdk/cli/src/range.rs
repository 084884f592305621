//! A range of blocks, as it is written.

use std::str::FromStr;

/// Blocks from one number to another, both included; an end that is left out is that of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockRange {
    /// First block.
    pub from: Option<u64>,
    /// Last block.
    pub to: Option<u64>,
}

/// Not a range of blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Written in another way.
    #[error("write two block numbers with two dots between, as in 100..200, 100.. or ..200, or one alone")]
    Form,
    /// It ends before it begins.
    #[error("the range ends at {to}, before {from}")]
    Backwards {
        /// Where it begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
}

impl FromStr for BlockRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let number = |text: &str| match text.trim() {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| RangeError::Form),
        };
        let Some((from, to)) = text.split_once("..") else {
            let one = number(text)?.ok_or(RangeError::Form)?;
            return Ok(Self { from: Some(one), to: Some(one) });
        };
        match (number(from)?, number(to)?) {
            (Some(from), Some(to)) if from > to => Err(RangeError::Backwards { from, to }),
            (from, to) => Ok(Self { from, to }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BlockRange, RangeError};

    #[test]
    fn a_range_has_two_ends_one_or_none() {
        let range = |from, to| Ok(BlockRange { from, to });
        assert_eq!("100..200".parse(), range(Some(100), Some(200)));
        assert_eq!("100..".parse(), range(Some(100), None));
        assert_eq!("..200".parse(), range(None, Some(200)));
        assert_eq!("..".parse(), range(None, None));
        assert_eq!("7".parse(), range(Some(7), Some(7)));
        assert_eq!("8..7".parse::<BlockRange>(), Err(RangeError::Backwards { from: 8, to: 7 }));
        for wrong in ["", "a..b", "1-2", "0x1..2", "1...2", "-1..2"] {
            assert_eq!(wrong.parse::<BlockRange>(), Err(RangeError::Form), "{wrong}");
        }
    }
}
