//! From acts to code. Calldata is a selector of four bytes, then arguments of a word each.

use alloy_primitives::{Address, U256};

use crate::{
    Act, CallKind, Place, Target, Word,
    assembler::{Assembler, Op},
    slot_key,
};

/// Bytes of a selector.
const SELECTOR: u64 = 4;
/// Bytes of a word.
const WORD: u64 = 32;

/// What the compiler has to ask: where a place is, and what a child's init code is.
pub trait Resolve {
    /// Address of a place.
    fn address(&self, place: Place) -> Address;
    /// Init code of a child; empty where there is no such child.
    fn init_code(&self, child: u8) -> &[u8];
}

/// Code of a program.
#[must_use]
pub fn compile(program: &[Act], resolve: &dyn Resolve) -> Vec<u8> {
    let mut compiler = Compiler { code: Assembler::new(), resolve };
    compiler.acts(program);
    compiler.code.op(Op::Stop);
    compiler.code.finish()
}

/// Init code that runs the constructor's acts, then leaves the runtime's code.
#[must_use]
pub fn child_init_code(constructor: &[Act], runtime: &[u8], resolve: &dyn Resolve) -> Vec<u8> {
    let mut compiler = Compiler { code: Assembler::new(), resolve };
    compiler.acts(constructor);
    compiler.code.memory(runtime).number(runtime.len() as u64).number(0).op(Op::Return);
    compiler.code.finish()
}

struct Compiler<'a> {
    code: Assembler,
    resolve: &'a dyn Resolve,
}

impl Compiler<'_> {
    fn acts(&mut self, program: &[Act]) {
        program.iter().for_each(|act| self.act(act));
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Increment(slot) => self.add(Word::Key(*slot), Word::Literal(1)),
            Act::Add { key, value } => self.add(*key, *value),
            Act::Store { key, value } => {
                self.word(*value);
                self.word(*key);
                self.code.op(Op::SStore);
            }
            Act::Move { from, to, amount } => self.move_amount(*from, *to, *amount),
            Act::StoreTransient { slot, value } => {
                self.word(*value);
                self.code.push(slot_key(*slot)).op(Op::TStore);
            }
            Act::Log { topic, data } => {
                self.in_memory(*data);
                self.word(*topic);
                self.code.number(WORD).number(0).op(Op::Log1);
            }
            Act::Call { .. } => self.call(act),
            Act::Create { child, salt, value, remember } => self.create(*child, *salt, *value, *remember),
            Act::SelfDestruct(heir) => {
                self.target(*heir);
                self.code.op(Op::SelfDestruct);
            }
            Act::When(condition, acts) => {
                let end = self.code.label();
                self.word(*condition);
                self.code.op(Op::IsZero).push_label(end).op(Op::JumpI);
                self.acts(acts);
                self.code.place(end);
            }
            Act::Return(word) => {
                self.in_memory(*word);
                self.code.number(WORD).number(0).op(Op::Return);
            }
            Act::Revert(word) => {
                self.in_memory(*word);
                self.code.number(WORD).number(0).op(Op::Revert);
            }
            Act::BurnGas => {
                let again = self.code.label();
                self.code.place(again).push_label(again).op(Op::Jump);
            }
            Act::Invalid => {
                self.code.op(Op::Invalid);
            }
            Act::Stop => {
                self.code.op(Op::Stop);
            }
        }
    }

    fn in_memory(&mut self, word: Word) {
        self.word(word);
        self.code.number(0).op(Op::MStore);
    }

    fn add(&mut self, key: Word, value: Word) {
        self.word(value);
        self.word(key);
        self.code.ops(&[Op::SLoad, Op::Add]);
        self.word(key);
        self.code.op(Op::SStore);
    }

    fn move_amount(&mut self, from: Word, to: Word, amount: Word) {
        let enough = self.code.label();
        self.word(amount);
        self.word(from);
        // Amount below balance: is the balance less than the amount?
        self.code.ops(&[Op::SLoad, Op::Dup2, Op::Dup2, Op::Lt, Op::IsZero]).push_label(enough).op(Op::JumpI);
        self.code.number(0).number(0).op(Op::Revert);
        self.code.place(enough).op(Op::Sub);
        self.word(from);
        self.code.op(Op::SStore);
        self.add(to, amount);
    }

    fn call(&mut self, act: &Act) {
        let Act::Call { kind, target, value, selector, argument, gas, remember } = act else { return };
        let head = U256::from(*selector) << 224;
        self.code.push(head).number(0).op(Op::MStore);
        self.word(*argument);
        self.code.number(SELECTOR).op(Op::MStore);
        // No output; the input is the selector and one argument.
        self.code.number(0).number(0).number(SELECTOR + WORD).number(0);
        if matches!(kind, CallKind::Call | CallKind::CallCode) {
            self.word(*value);
        }
        self.target(*target);
        match gas {
            Some(gas) => self.code.number(u64::from(*gas)),
            None => self.code.op(Op::Gas),
        };
        self.code.op(match kind {
            CallKind::Call => Op::Call,
            CallKind::CallCode => Op::CallCode,
            CallKind::DelegateCall => Op::DelegateCall,
            CallKind::StaticCall => Op::StaticCall,
        });
        self.remember(*remember);
    }

    fn create(&mut self, child: u8, salt: Option<Word>, value: Word, remember: Option<u8>) {
        let init_code = self.resolve.init_code(child);
        self.code.memory(init_code);
        if let Some(salt) = salt {
            self.word(salt);
        }
        self.code.number(init_code.len() as u64).number(0);
        self.word(value);
        self.code.op(if salt.is_some() { Op::Create2 } else { Op::Create });
        self.remember(remember);
    }

    fn remember(&mut self, slot: Option<u8>) {
        match slot {
            Some(slot) => self.code.push(slot_key(slot)).op(Op::SStore),
            None => self.code.op(Op::Pop),
        };
    }

    fn target(&mut self, target: Target) {
        match target {
            Target::Place(place) => self.code.address(self.resolve.address(place)),
            Target::Argument(number) => self.argument(number),
            Target::Caller => self.code.op(Op::Caller),
            Target::Coinbase => self.code.op(Op::Coinbase),
            Target::Itself => self.code.op(Op::SelfAddress),
        };
    }

    fn argument(&mut self, number: u8) -> &mut Assembler {
        self.code.number(SELECTOR + WORD * u64::from(number)).op(Op::CallDataLoad)
    }

    fn word(&mut self, word: Word) {
        if let Some(literal) = word.literal() {
            self.code.push(literal);
            return;
        }
        match word {
            Word::Literal(_) | Word::Key(_) => &mut self.code,
            Word::Argument(number) => self.argument(number),
            Word::Caller => self.code.op(Op::Caller),
            Word::Origin => self.code.op(Op::Origin),
            Word::CallValue => self.code.op(Op::CallValue),
            Word::SelfBalance => self.code.op(Op::SelfBalance),
            Word::BalanceOf(target) => self.of(target, Op::Balance),
            Word::CodeHashOf(target) => self.of(target, Op::ExtCodeHash),
            Word::CodeSizeOf(target) => self.of(target, Op::ExtCodeSize),
            Word::Slot(slot) => self.code.push(slot_key(slot)).op(Op::SLoad),
            Word::Transient(slot) => self.code.push(slot_key(slot)).op(Op::TLoad),
            Word::BlockHash(back) => self.code.number(u64::from(back)).ops(&[Op::Number, Op::Sub, Op::BlockHash]),
            Word::GasLeft => self.code.op(Op::Gas),
            Word::BaseFee => self.code.op(Op::BaseFee),
        };
    }

    fn of(&mut self, target: Target, op: Op) -> &mut Assembler {
        self.target(target);
        self.code.op(op)
    }
}
