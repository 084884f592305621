//! Blocks before the forked one. Invariant: where answers are checked, a hash is known by the hashes of the blocks between.

use alloy_primitives::B256;
use serde_json::json;

use crate::{
    Checks, Fork, ForkError,
    answer::{self, Block},
    cache::{Key, Value},
    client::{Call, Client},
    fork::read,
};

/// Most headers that one request asks for.
const HEADERS_MAX: usize = 32;

impl Fork {
    /// Hash of a block before the forked one. Where answers are checked, it is by the hashes of the blocks between them.
    pub(crate) fn hash_known(&self, number: u64) -> Result<B256, ForkError> {
        if number == self.header.number {
            return Ok(self.header.hash());
        }
        if let Some(Value::BlockHash(hash)) = self.cache.get(&Key::BlockHash(number)) {
            return Ok(hash);
        }
        let client = self.client();
        if self.checks == Checks::Told {
            let hash = self.blocks(&client, &[number])?[0].header.hash();
            self.keep_all(vec![(Key::BlockHash(number), Value::BlockHash(hash))]);
            return Ok(hash);
        }
        let (mut child, mut hash) = (self.header.number, self.header.hash());
        while child > number {
            let known = self.cache.get(&Key::BlockHash(child - 1));
            if let Some(Value::BlockHash(known)) = known {
                (child, hash) = (child - 1, known);
                continue;
            }
            if child == self.header.number {
                hash = self.header.parent_hash;
                child -= 1;
                self.keep_all(vec![(Key::BlockHash(child), Value::BlockHash(hash))]);
                continue;
            }
            let numbers: Vec<_> = (number + 1..=child).rev().take(HEADERS_MAX).collect();
            for block in self.blocks(&client, &numbers)? {
                if !block.hash_is_proved || block.header.hash() != hash {
                    let reason = format!("its hash is {}, its child names {hash}", block.header.hash());
                    return Err(self.unproven(&client, format!("block {child}"), reason));
                }
                (child, hash) = (child - 1, block.header.parent_hash);
                self.keep_all(vec![(Key::BlockHash(child), Value::BlockHash(hash))]);
            }
        }
        Ok(hash)
    }

    /// Blocks by their numbers.
    fn blocks(&self, client: &Client, numbers: &[u64]) -> Result<Vec<Block>, ForkError> {
        let call =
            |number: &u64| Call { method: "eth_getBlockByNumber", params: json!([format!("{number:#x}"), false]) };
        let calls: Vec<_> = numbers.iter().map(call).collect();
        let mut answers = client.batch(&calls)?.into_iter().zip(&calls);
        let mut blocks = Vec::with_capacity(numbers.len());
        for number in numbers {
            let block = read(client, &mut answers, answer::block)?;
            let block = block.filter(|block| block.header.number == *number);
            let missing = || ForkError::NoBlock { endpoint: client.name().to_owned(), wanted: number.to_string() };
            blocks.push(block.ok_or_else(missing)?);
        }
        Ok(blocks)
    }
}
