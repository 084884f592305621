//! The calls that are put into a drawn module.

use wasm_encoder::{Function, Instruction as I, MemArg};
use wasmparser::ValType;

use super::Enlivening;
use crate::imports::{Arg, PLACES_MAX};

/// A call stands before one instruction in so many.
pub(super) const ONE_IN: u64 = 6;
/// Of calls, one in so many is of a drawn function, writes memory instead, or gives an import what it is given.
const DEFINED_IN: u64 = 12;
const WRITES_IN: u64 = 6;
const UNFITTED_IN: u64 = 200;
/// One veto in so many that are drawn is one.
const VETO_IN: u64 = 8;
/// Most drawn functions that a hook calls besides its own.
const OTHERS_MAX: u64 = 4;
/// Code of the alert at a hook's end, and how much of memory it is about.
const DIGEST: i32 = 9;
const DIGESTED: i32 = PLACES_MAX + 1;

/// The function that makes an import's arguments right, and calls it.
pub(super) fn fitting(import: u32, args: &[Arg]) -> Function {
    let mut function = Function::new([]);
    for (index, arg) in (0..).zip(args) {
        function.instruction(&I::LocalGet(index));
        for instruction in arg.fit() {
            function.instruction(&instruction);
        }
    }
    function.instruction(&I::Call(import)).instruction(&I::End);
    function
}

impl Enlivening {
    /// A hook: the drawn one, some of the others, and what memory holds then.
    pub(super) fn hook(&mut self, drawn: u32) -> Function {
        let takes_frame = !self.shape.frame.types[self.shape.type_of(drawn) as usize].params().is_empty();
        let mut function = Function::new([]);
        if takes_frame {
            function.instruction(&I::LocalGet(0));
        }
        function.instruction(&I::Call(drawn));
        let locals: &[ValType] = if takes_frame { &[ValType::I32] } else { &[] };
        for _ in 0..self.rng.below(OTHERS_MAX + 1) {
            self.call_defined(&mut function, locals);
        }
        if let (Some(hash), Some(alert)) = (self.shape.import("keccak256"), self.shape.import("alert")) {
            for number in [0, DIGESTED, DIGESTED] {
                function.instruction(&I::I32Const(number));
            }
            function.instruction(&I::Call(hash));
            for number in [DIGEST, DIGESTED, 32] {
                function.instruction(&I::I32Const(number));
            }
            function.instruction(&I::Call(alert));
        }
        function.instruction(&I::End);
        function
    }

    /// A call, which leaves the stack as it is.
    pub(super) fn call(&mut self, function: &mut Function, locals: &[ValType]) {
        if self.rng.one_in(DEFINED_IN) {
            return self.call_defined(function, locals);
        }
        if self.shape.imports.is_empty() || self.rng.one_in(WRITES_IN) {
            return self.write(function);
        }
        let many = u64::from(self.shape.imported());
        let mut import = self.rng.below(many) as u32;
        if Some(import) == self.shape.import("veto") && !self.rng.one_in(VETO_IN) {
            import = self.rng.below(many) as u32;
        }
        let (_, ty) = self.shape.imports[import as usize];
        let fitted = !self.rng.one_in(UNFITTED_IN);
        let callee = if fitted { self.shape.first_fitting() + import } else { import };
        self.call_of(function, locals, callee, ty);
    }

    fn call_defined(&mut self, function: &mut Function, locals: &[ValType]) {
        let index = self.rng.below(self.shape.frame.defined.len() as u64) as usize;
        let callee = self.shape.imported() + index as u32;
        self.call_of(function, locals, callee, self.shape.frame.defined[index]);
    }

    fn call_of(&mut self, function: &mut Function, locals: &[ValType], callee: u32, ty: u32) {
        let ty = self.shape.frame.types[ty as usize].clone();
        for param in ty.params() {
            let argument = self.argument(locals, *param);
            function.instruction(&argument);
        }
        function.instruction(&I::Call(callee));
        for result in ty.results().iter().rev() {
            let kept = self.local(locals, *result);
            function.instruction(&kept.map_or(I::Drop, I::LocalSet));
        }
    }

    /// A local of a type, half of the time.
    fn local(&mut self, locals: &[ValType], ty: ValType) -> Option<u32> {
        let fit: Vec<u32> = (0..).zip(locals).filter(|(_, local)| **local == ty).map(|(index, _)| index).collect();
        if fit.is_empty() || self.rng.one_in(2) {
            return None;
        }
        Some(fit[self.rng.below(fit.len() as u64) as usize])
    }

    fn argument(&mut self, locals: &[ValType], ty: ValType) -> I<'static> {
        if let Some(local) = self.local(locals, ty) {
            return I::LocalGet(local);
        }
        let number = match self.rng.below(4) {
            0 => 32 * self.rng.below(16),
            1 => self.rng.below(1 << 16),
            _ => self.rng.below(9),
        };
        match ty {
            ValType::I64 => I::I64Const(number.cast_signed()),
            _ => I::I32Const(number as i32),
        }
    }

    /// Writes a small byte to where keys and amounts lie.
    fn write(&mut self, function: &mut Function) {
        let byte = MemArg { offset: 0, align: 0, memory_index: 0 };
        function.instruction(&I::I32Const(self.rng.below(0x220) as i32));
        function.instruction(&I::I32Const(self.rng.below(4) as i32)).instruction(&I::I32Store8(byte));
    }
}
