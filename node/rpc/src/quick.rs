//! The commonest reads, from the text of their parameters to the text of their answer, with next to nothing made in between:
//! what stands between a call and its method costs more than most of them do.
//!
//! Invariant: what is answered here, [`api`](crate::api) would answer byte for byte, which a test asks of it. Whatever is not as
//! it mostly is goes there: a failure, a block that is not the newest one, a chain that goes on from another one, parameters
//! by name, a read that takes long. So nothing here knows an error.

use std::{fmt, marker::PhantomData};

use alloy_primitives::{Address, B256, U256, hex};
use alloy_rpc_types_eth::{Filter, Log, TransactionRequest};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, IgnoredAny, SeqAccess, Visitor},
};

use serde_json::value::RawValue;

use crate::{RpcError, asked::Asked, node::Node};

/// How a method is answered quickly.
#[derive(Clone, Copy)]
pub(crate) struct Quick {
    /// Writes what it gives for the text of its parameters; `None` where another has to answer, whatever was written.
    write: fn(&Node, Option<&str>, &mut Vec<u8>) -> Option<()>,
    /// How long that takes.
    pub(crate) takes: Takes,
}

/// How long an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A microsecond: it is looked up.
    Nothing,
    /// As long as a read may be tried.
    Brief,
}

/// How a method is answered quickly, if it can be.
pub(crate) fn quick(method: &str) -> Option<Quick> {
    let looked_up = |write| Some(Quick { write, takes: Takes::Nothing });
    let brief = |write| Some(Quick { write, takes: Takes::Brief });
    match method {
        "eth_chainId" => looked_up(chain_id),
        "eth_blockNumber" => looked_up(block_number),
        "eth_getBalance" => looked_up(balance),
        "eth_getTransactionCount" => looked_up(transaction_count),
        "eth_getCode" => looked_up(code),
        "eth_getStorageAt" => looked_up(storage_at),
        "eth_call" => brief(call),
        "eth_estimateGas" => brief(estimate_gas),
        "eth_getLogs" => brief(logs),
        _ => None,
    }
}

/// What a call gives; `None` where another has to answer.
pub(crate) fn result(quick: Quick, node: &Node, asked: &Asked<'_>) -> Option<Box<RawValue>> {
    let mut out = Vec::new();
    (quick.write)(node, asked.params_text(), &mut out)?;
    RawValue::from_string(String::from_utf8(out).ok()?).ok()
}

/// Writes the whole answer to a call, of at most so many bytes; where another has to answer, nothing is left of it.
pub(crate) fn answer(quick: Quick, node: &Node, asked: &Asked<'_>, bytes_max: usize, out: &mut Vec<u8>) -> Option<()> {
    let begin = out.len();
    let written = write_answer(quick, node, asked, out).filter(|()| out.len() - begin <= bytes_max);
    if written.is_none() {
        out.truncate(begin);
    }
    written
}

fn write_answer(quick: Quick, node: &Node, asked: &Asked<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write(out, &asked.id)?;
    out.extend_from_slice(br#","result":"#);
    (quick.write)(node, asked.params_text(), out)?;
    out.push(b'}');
    Some(())
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) -> Option<()> {
    serde_json::to_writer(out, value).ok()
}

/// Bytes as a JSON string of hexadecimal digits.
fn write_data(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.extend_from_slice(b"\"0x");
    let digits = out.len();
    out.resize(digits + 2 * bytes.len(), 0);
    hex::encode_to_slice(bytes, &mut out[digits..]).ok()?;
    out.push(b'"');
    Some(())
}

/// A number as a JSON string of hexadecimal digits, as few as there are.
fn write_quantity(out: &mut Vec<u8>, number: U256) -> Option<()> {
    let bytes = number.to_be_bytes::<32>();
    let mut digits = [0; 64];
    hex::encode_to_slice(bytes, &mut digits).ok()?;
    let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len() - 1);
    out.extend_from_slice(b"\"0x");
    out.extend_from_slice(&digits[first..]);
    out.push(b'"');
    Some(())
}

/// The newest block, by its tag.
struct Newest;

impl<'de> Deserialize<'de> for Newest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <&str>::deserialize(deserializer)? {
            "latest" => Ok(Self),
            _ => Err(D::Error::custom("another block")),
        }
    }
}

/// Parameters before a block.
trait Leading: Sized {
    fn read<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<Self, A::Error>;
}

impl<T: DeserializeOwned> Leading for (T,) {
    fn read<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<Self, A::Error> {
        Ok((next(array)?,))
    }
}

impl<T: DeserializeOwned, U: DeserializeOwned> Leading for (T, U) {
    fn read<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<Self, A::Error> {
        Ok((next(array)?, next(array)?))
    }
}

fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(array: &mut A) -> Result<T, A::Error> {
    array.next_element()?.ok_or_else(|| A::Error::custom("too few parameters"))
}

/// Parameters, and after them the newest block, named or meant.
struct OfNewest<T>(T);

impl<'de, T: Leading> Deserialize<'de> for OfNewest<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array<T>(PhantomData<T>);
        impl<'de, T: Leading> Visitor<'de> for Array<T> {
            type Value = OfNewest<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<OfNewest<T>, A::Error> {
                let leading = T::read(&mut array)?;
                array.next_element::<Option<Newest>>()?;
                match array.next_element::<IgnoredAny>()? {
                    None => Ok(OfNewest(leading)),
                    Some(_) => Err(A::Error::custom("too many parameters")),
                }
            }
        }
        deserializer.deserialize_seq(Array(PhantomData))
    }
}

/// Parameters about the newest state.
fn of_newest<T: Leading>(params: Option<&str>) -> Option<T> {
    serde_json::from_str::<OfNewest<T>>(params?).ok().map(|OfNewest(leading)| leading)
}

/// Whether there are no parameters.
fn none(params: Option<&str>) -> Option<()> {
    params.is_none_or(|params| params == "[]").then_some(())
}

fn chain_id(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    none(params)?;
    write_quantity(out, U256::from(node.chain.spec().chain_id()))
}

fn block_number(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    none(params)?;
    write_quantity(out, U256::from(node.chain.head().block.number()))
}

fn balance(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let (address,): (Address,) = of_newest(params)?;
    let head = node.own_head()?;
    write_quantity(out, head.world.account(&address).ok()?.unwrap_or_default().balance)
}

fn transaction_count(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let (address,): (Address,) = of_newest(params)?;
    let head = node.own_head()?;
    write_quantity(out, U256::from(head.world.account(&address).ok()?.unwrap_or_default().nonce))
}

fn code(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let (address,): (Address,) = of_newest(params)?;
    let head = node.own_head()?;
    let world = &head.world;
    let code_hash = world.account(&address).ok()?.unwrap_or_default().code_hash;
    write_data(out, &world.code(code_hash).ok()??)
}

fn storage_at(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let (address, slot): (Address, B256) = of_newest(params)?;
    write_data(out, &node.own_head()?.world.storage(&address, slot.into()).ok()?.to_be_bytes::<32>())
}

fn call(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let (request,): (TransactionRequest,) = of_newest(params)?;
    let request = node.call_request(request).ok()?;
    let executed = node.briefly(|| {
        let at = node.at(None)?;
        RpcError::check(parapet_simulate::call(&at.point(), &at.laid(request), node.monitor())?)
    });
    write_data(out, &executed?.output)
}

fn estimate_gas(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let [request]: [TransactionRequest; 1] = serde_json::from_str(params?).ok()?;
    let request = node.call_request(request).ok()?;
    let gas = node.briefly(|| {
        let at = node.pending(&node.chain.head())?;
        Ok(parapet_simulate::estimate_gas(&at.point(), &at.laid(request), node.monitor())?)
    });
    write_quantity(out, U256::from(gas?))
}

fn logs(node: &Node, params: Option<&str>, out: &mut Vec<u8>) -> Option<()> {
    let [filter]: [Filter; 1] = serde_json::from_str(params?).ok()?;
    node.check_filter(&filter).ok()?;
    let logs = node.briefly(|| node.logs(&filter))?;
    out.push(b'[');
    for (index, log) in logs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_log(out, log)?;
    }
    out.push(b']');
    Some(())
}

/// A log of a block. What it holds is nearly all hexadecimal, in which a serializer would look for what is to be escaped.
fn write_log(out: &mut Vec<u8>, log: &Log) -> Option<()> {
    out.extend_from_slice(br#"{"address":"#);
    write_data(out, log.inner.address.as_slice())?;
    out.extend_from_slice(br#","topics":["#);
    for (index, topic) in log.inner.topics().iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_data(out, topic.as_slice())?;
    }
    out.extend_from_slice(br#"],"data":"#);
    write_data(out, &log.inner.data.data)?;
    out.extend_from_slice(br#","blockHash":"#);
    write_data(out, log.block_hash?.as_slice())?;
    out.extend_from_slice(br#","blockNumber":"#);
    write_quantity(out, U256::from(log.block_number?))?;
    if let Some(timestamp) = log.block_timestamp {
        out.extend_from_slice(br#","blockTimestamp":"#);
        write_quantity(out, U256::from(timestamp))?;
    }
    out.extend_from_slice(br#","transactionHash":"#);
    write_data(out, log.transaction_hash?.as_slice())?;
    out.extend_from_slice(br#","transactionIndex":"#);
    write_quantity(out, U256::from(log.transaction_index?))?;
    out.extend_from_slice(br#","logIndex":"#);
    write_quantity(out, U256::from(log.log_index?))?;
    out.extend_from_slice(br#","removed":"#);
    write(out, &log.removed)?;
    out.push(b'}');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_as_few_digits_as_they_have() {
        for number in [U256::ZERO, U256::from(1), U256::from(0x10), U256::from(0xabc), U256::MAX, U256::MAX >> 3] {
            let mut out = Vec::new();
            assert_eq!(write_quantity(&mut out, number), Some(()));
            assert_eq!(out, serde_json::to_vec(&number).unwrap_or_default());
        }
    }

    #[test]
    fn only_the_newest_block_is_meant_here() {
        let read = |params: &str| of_newest::<(Address,)>(Some(params)).map(|(address,)| address);
        let address = Address::repeat_byte(0xab);
        for (rest, is_here) in [
            ("", true),
            (r#","latest""#, true),
            (",null", true),
            (r#","pending""#, false),
            (r#","0x1""#, false),
            (",1", false),
            (r#","latest",1"#, false),
        ] {
            assert_eq!(read(&format!(r#"["{address}"{rest}]"#)), is_here.then_some(address), "{rest}");
        }
        assert_eq!(read("[]"), None);
        assert_eq!(read(&format!(r#"{{"address":"{address}"}}"#)), None);
        assert_eq!(of_newest::<(Address,)>(None), None);
    }
}
