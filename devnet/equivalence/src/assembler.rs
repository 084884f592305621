//! Bytes of EVM code by the names of its instructions. Runs on every fork: zero is pushed as `PUSH1 0`.

use alloy_primitives::{Address, U256};

/// Instructions without immediate data, by their opcodes (Yellow Paper, appendix H.2; EIP-145, 1014, 1052, 1153, 3198).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Op {
    Stop = 0x00,
    Add = 0x01,
    Sub = 0x03,
    Lt = 0x10,
    IsZero = 0x15,
    SelfAddress = 0x30,
    Balance = 0x31,
    Origin = 0x32,
    Caller = 0x33,
    CallValue = 0x34,
    CallDataLoad = 0x35,
    CallDataSize = 0x36,
    ExtCodeSize = 0x3b,
    ReturnDataSize = 0x3d,
    ExtCodeHash = 0x3f,
    BlockHash = 0x40,
    Coinbase = 0x41,
    Number = 0x43,
    GasLimit = 0x45,
    SelfBalance = 0x47,
    BaseFee = 0x48,
    Pop = 0x50,
    MStore = 0x52,
    MStore8 = 0x53,
    SLoad = 0x54,
    SStore = 0x55,
    Jump = 0x56,
    JumpI = 0x57,
    Gas = 0x5a,
    JumpDest = 0x5b,
    TLoad = 0x5c,
    TStore = 0x5d,
    Dup1 = 0x80,
    Dup2 = 0x81,
    Swap1 = 0x90,
    Log1 = 0xa1,
    Create = 0xf0,
    Call = 0xf1,
    CallCode = 0xf2,
    Return = 0xf3,
    DelegateCall = 0xf4,
    Create2 = 0xf5,
    StaticCall = 0xfa,
    Revert = 0xfd,
    Invalid = 0xfe,
    SelfDestruct = 0xff,
}

/// `PUSH1`; `PUSHn` is `n - 1` above it.
const PUSH1: u8 = 0x60;
const PUSH2: u8 = 0x61;
const PUSH20: u8 = 0x73;
/// Bytes of a word.
const WORD: usize = 32;

/// A place in the code that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// Code as it grows.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    code: Vec<u8>,
    /// Position of each label, once it stands.
    labels: Vec<Option<usize>>,
    /// Where a label's position is to be written.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    /// No code yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an instruction.
    pub fn op(&mut self, op: Op) -> &mut Self {
        self.code.push(op as u8);
        self
    }

    /// Appends instructions.
    pub fn ops(&mut self, ops: &[Op]) -> &mut Self {
        self.code.extend(ops.iter().map(|op| *op as u8));
        self
    }

    /// Pushes a number with as few bytes as it needs, at least one.
    pub fn push(&mut self, value: U256) -> &mut Self {
        let bytes = value.to_be_bytes::<WORD>();
        let zeros = value.leading_zeros() / 8;
        let significant = &bytes[zeros.min(WORD - 1)..];
        // One to 32 bytes, so the sum stays below 0x80.
        self.code.push(PUSH1 - 1 + significant.len() as u8);
        self.code.extend_from_slice(significant);
        self
    }

    /// Pushes a small number.
    pub fn number(&mut self, value: u64) -> &mut Self {
        self.push(U256::from(value))
    }

    /// Pushes an address, all of its bytes.
    pub fn address(&mut self, address: Address) -> &mut Self {
        self.code.push(PUSH20);
        self.code.extend_from_slice(address.as_slice());
        self
    }

    /// A label that stands nowhere yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Pushes the position of a label.
    pub fn push_label(&mut self, label: Label) -> &mut Self {
        self.code.push(PUSH2);
        self.jumps.push((self.code.len(), label));
        self.code.extend([0, 0]);
        self
    }

    /// The label stands here.
    pub fn place(&mut self, label: Label) -> &mut Self {
        self.labels[label.0] = Some(self.code.len());
        self.op(Op::JumpDest)
    }

    /// Writes bytes to memory from offset 0 on, in whole words.
    pub fn memory(&mut self, bytes: &[u8]) -> &mut Self {
        for (index, chunk) in bytes.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            self.push(U256::from_be_bytes(word)).number((index * WORD) as u64).op(Op::MStore);
        }
        self
    }

    /// The code. Panics if a label that is jumped to stands nowhere, or beyond 64 KiB: both are mistakes of the caller.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        for (at, label) in self.jumps {
            let position = self.labels[label.0].expect("label stands somewhere: placed by whoever made it");
            let position = u16::try_from(position).expect("code is shorter than 64 KiB: programs are bounded");
            self.code[at..at + 2].copy_from_slice(&position.to_be_bytes());
        }
        self.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_bytes_they_need_and_zero_takes_one() {
        let mut code = Assembler::new();
        code.number(0).number(0xff).number(0x100).push(U256::MAX);
        let code = code.finish();
        assert_eq!(code[..7], [0x60, 0, 0x60, 0xff, 0x61, 1, 0]);
        assert_eq!(code[7], 0x7f);
        assert_eq!(code.len(), 7 + 33);
    }

    #[test]
    fn labels_are_known_before_they_stand() {
        let mut code = Assembler::new();
        let end = code.label();
        code.push_label(end).op(Op::Jump).op(Op::Invalid).place(end).op(Op::Stop);
        assert_eq!(code.finish(), [0x61, 0, 5, 0x56, 0xfe, 0x5b, 0x00]);
    }

    #[test]
    fn memory_is_written_in_whole_words() {
        let mut code = Assembler::new();
        code.memory(&[0xaa; 33]);
        let code = code.finish();
        let mut expected = vec![0x7f];
        expected.extend([0xaa; 32]);
        expected.extend([0x60, 0, 0x52, 0x7f, 0xaa]);
        expected.extend([0; 31]);
        expected.extend([0x60, 32, 0x52]);
        assert_eq!(code, expected);
    }
}
