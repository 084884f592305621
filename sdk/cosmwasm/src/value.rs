//! Addresses and 256-bit words, in hex behind `0x`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Text that is not so many bytes in lower- or upper-case hex behind `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHex {
    /// Bytes that were expected.
    pub bytes: usize,
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} bytes in hex behind 0x", self.bytes)
    }
}

impl std::error::Error for NotHex {}

macro_rules! hex_bytes {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl std::str::FromStr for $name {
            type Err = NotHex;

            fn from_str(text: &str) -> Result<Self, NotHex> {
                let mut bytes = [0; $bytes];
                decode(text, &mut bytes).map(|()| Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        fmt::Display::fmt(&NotHex { bytes: $bytes }, f)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> String {
                stringify!($name).to_owned()
            }

            fn json_schema(_: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
                let string = schemars::schema::StringValidation {
                    pattern: Some(format!("^0x[0-9a-f]{{{}}}$", 2 * $bytes)),
                    ..Default::default()
                };
                let instance_type = Some(schemars::schema::InstanceType::String.into());
                schemars::schema::SchemaObject { instance_type, string: Some(Box::new(string)), ..Default::default() }
                    .into()
            }
        }
    };
}

hex_bytes! {
    /// An account's address.
    Address, 20
}

hex_bytes! {
    /// A hash, a slot, or the value of one: 32 bytes, as the EVM writes them.
    Word, 32
}

fn decode(text: &str, out: &mut [u8]) -> Result<(), NotHex> {
    let wrong = NotHex { bytes: out.len() };
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 2 * out.len()).ok_or(wrong)?.as_bytes();
    for (pair, byte) in digits.chunks_exact(2).zip(out) {
        *byte = nibble(pair[0]).ok_or(wrong)? << 4 | nibble(pair[1]).ok_or(wrong)?;
    }
    Ok(())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
