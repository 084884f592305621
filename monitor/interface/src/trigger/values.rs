//! Values of a trigger's field: literals, and parameters of the guard.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BindError, TRIGGER_VALUES_MAX, names::strings};
use crate::Parameter;

/// Bytes of a word.
const WORD: usize = 32;

/// One value or a list; `$name` stands for a parameter of the guard, an array parameter for all its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strings(deserializer).map(Self)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A number, an address or a hash, as the EVM pads it to 32 bytes.
    Word,
    /// The first topic of a log: a word, or an event's signature.
    Topic,
    /// Four bytes, or a function's signature.
    Selector,
    /// A hash.
    Hash,
    /// An address.
    Address,
}

impl Sort {
    /// Whether a parameter of this Solidity type can stand for it.
    fn takes(self, ty: &str) -> bool {
        match self {
            Self::Word | Self::Topic => ty == "address" || ty == "bool" || ty.starts_with("uint") || is_bytes_n(ty),
            Self::Selector => ty == "bytes4",
            Self::Hash => ty == "bytes32",
            Self::Address => ty == "address",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Word => "a number, an address or a hash",
            Self::Topic => "32 bytes in hex, or an event's signature",
            Self::Selector => "four bytes in hex, or a function's signature",
            Self::Hash => "32 bytes in hex",
            Self::Address => "an address",
        }
    }

    fn literal(self, text: &str) -> Option<B256> {
        let is_signature = text.ends_with(')') && text.contains('(');
        match self {
            Self::Word => number(text),
            Self::Topic if is_signature => Some(keccak256(text)),
            Self::Topic => number(text),
            Self::Selector if is_signature => Some(left(&keccak256(text)[..4])),
            Self::Selector => exactly::<4>(text).map(|bytes| left(&bytes)),
            Self::Hash => exactly::<32>(text).map(B256::from),
            Self::Address => exactly::<20>(text).map(|bytes| Address::from(bytes).into_word()),
        }
    }
}

fn is_bytes_n(ty: &str) -> bool {
    ty.strip_prefix("bytes").and_then(|n| n.parse().ok()).is_some_and(|n: usize| (1..=WORD).contains(&n))
}

fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
}

fn number(text: &str) -> Option<B256> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => U256::from_str_radix(digits, 16),
        None => U256::from_str_radix(text, 10),
    };
    number.ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(B256::from)
}

fn left(bytes: &[u8]) -> B256 {
    B256::right_padding_from(bytes)
}

impl Values {
    /// Whether the field was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks literals, and that parameters exist and have a fitting type.
    pub(super) fn check(&self, field: &'static str, sort: Sort, parameters: &[Parameter]) -> Result<(), BindError> {
        if self.0.len() > TRIGGER_VALUES_MAX {
            return Err(BindError::TooMany { field, count: self.0.len() });
        }
        for value in &self.0 {
            match value.strip_prefix('$') {
                Some(name) => find(field, sort, name, parameters).map(|_| ())?,
                None => literal(field, sort, value).map(|_| ())?,
            }
        }
        Ok(())
    }

    /// The values, each as a word, for one configuration.
    pub(super) fn bind(
        &self,
        field: &'static str,
        sort: Sort,
        parameters: &[Parameter],
        configuration: &[u8],
    ) -> Result<Box<[B256]>, BindError> {
        let mut words = Vec::new();
        for value in &self.0 {
            match value.strip_prefix('$') {
                Some(name) => {
                    let (index, parameter) = find(field, sort, name, parameters)?;
                    let short = || BindError::Configuration { parameter: parameter.name.clone() };
                    read(configuration, index, parameter.ty.ends_with("[]"), &mut words).ok_or_else(short)?;
                }
                None => words.push(literal(field, sort, value)?),
            }
        }
        if words.len() > TRIGGER_VALUES_MAX {
            return Err(BindError::TooMany { field, count: words.len() });
        }
        words.sort_unstable();
        words.dedup();
        Ok(words.into())
    }
}

fn literal(field: &'static str, sort: Sort, text: &str) -> Result<B256, BindError> {
    sort.literal(text).ok_or_else(|| BindError::Value { field, value: text.to_owned(), expected: sort.words() })
}

/// A parameter and its place in the head of the configuration, where each takes one word.
fn find<'p>(
    field: &'static str,
    sort: Sort,
    name: &str,
    parameters: &'p [Parameter],
) -> Result<(usize, &'p Parameter), BindError> {
    let index = parameters.iter().position(|parameter| parameter.name == name);
    let index = index.ok_or_else(|| BindError::Unknown { field, name: name.to_owned() })?;
    let wide = |parameter: &&Parameter| parameter.ty.starts_with('(') || is_fixed_array(&parameter.ty);
    if let Some(wide) = parameters[..index].iter().find(wide) {
        return Err(BindError::Behind { name: name.to_owned(), wide: wide.name.clone() });
    }
    let parameter = &parameters[index];
    let item = parameter.ty.strip_suffix("[]").unwrap_or(&parameter.ty);
    if !sort.takes(item) {
        let (name, ty) = (name.to_owned(), parameter.ty.clone());
        return Err(BindError::Type { field, name, ty, expected: sort.words() });
    }
    Ok((index, parameter))
}

fn is_fixed_array(ty: &str) -> bool {
    ty.ends_with(']') && !ty.ends_with("[]")
}

/// Reads a parameter of one word, or an array of such.
fn read(configuration: &[u8], index: usize, is_array: bool, words: &mut Vec<B256>) -> Option<()> {
    let word = |at: usize| configuration.get(at..at.checked_add(WORD)?).map(B256::from_slice);
    let small = |word: B256| usize::try_from(U256::from_be_bytes(word.0)).ok();
    let head = word(index.checked_mul(WORD)?)?;
    if !is_array {
        words.push(head);
        return Some(());
    }
    let at = small(head)?;
    let count = small(word(at)?)?;
    // Bounded by what is there before anything is kept.
    (count <= configuration.len() / WORD).then_some(())?;
    for item in 0..count {
        words.push(word(at.checked_add(WORD)?.checked_add(item * WORD)?)?);
    }
    Some(())
}
