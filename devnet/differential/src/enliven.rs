//! Makes a drawn module call its host: calls stand between the instructions that it has, their arguments are its locals or
//! drawn, and their answers go to its locals. Each import is called through a function that fits arguments, so that keys,
//! places and lengths are mostly right and mostly the same few.
//!
//! Every function gives up when so many functions and rounds of loops were entered, and so returns. A hook ends with a
//! digest of its memory in an alert, so that all that a host wrote there is compared.

mod calls;

use std::convert::Infallible;

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    Instruction as I, Module, SectionId, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef};

use crate::{
    frame::{self, Frame},
    imports::{IMPORTS, Import},
    rng::Rng,
};

/// Functions and rounds of loops that a module enters before it returns from all of them.
const ROUNDS: i32 = 400;

/// The module with its calls; none if one of its types has more values than a guard's may.
pub(crate) fn enliven(module: &[u8], values_max: usize, rng: Rng) -> Option<Vec<u8>> {
    let shape = Shape::of(module).expect("wasm-smith draws valid modules");
    if shape.frame.types.iter().any(|ty| ty.params().len().max(ty.results().len()) > values_max) {
        return None;
    }
    let mut enlivening = Enlivening { shape, next: 0, rng };
    let mut out = Module::new();
    enlivening.parse_core_module(&mut out, Parser::new(0), module).expect("a valid module can be written anew");
    Some(out.finish())
}

/// What functions call one another by.
#[derive(Debug, Default)]
struct Shape {
    frame: Frame,
    /// What is imported, and the number of its type.
    imports: Vec<(Import, u32)>,
    /// Hooks: which function each is.
    hooks: Vec<u32>,
}

impl Shape {
    fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            shape.frame.note(&payload)?;
            match payload {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        let known = IMPORTS.into_iter().find(|(name, ..)| *name == import.name);
                        if let (Some(known), TypeRef::Func(ty)) = (known, import.ty) {
                            shape.imports.push((known, ty));
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            shape.hooks.push(export.index);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(shape)
    }

    fn imported(&self) -> u32 {
        self.imports.len() as u32
    }

    /// First of the functions that fit arguments, one for each import; behind them stand the hooks.
    fn first_fitting(&self) -> u32 {
        self.imported() + self.frame.defined.len() as u32
    }

    fn first_hook(&self) -> u32 {
        self.first_fitting() + self.imported()
    }

    fn type_of(&self, defined: u32) -> u32 {
        self.frame.defined[(defined - self.imported()) as usize]
    }

    fn import(&self, name: &str) -> Option<u32> {
        self.imports.iter().position(|((known, ..), _)| *known == name).map(|index| index as u32)
    }
}

struct Enlivening {
    shape: Shape,
    /// Function that is written next.
    next: usize,
    rng: Rng,
}

impl Reencode for Enlivening {
    type Error = Infallible;

    /// Whoever called an import calls the function that fits its arguments.
    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        let imported = function < self.shape.imported();
        Ok(if imported { self.shape.first_fitting() + function } else { function })
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_function_section(self, functions, section)?;
        for (_, ty) in &self.shape.imports {
            functions.function(*ty);
        }
        for hook in &self.shape.hooks {
            functions.function(self.shape.type_of(*hook));
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        add_rounds(globals);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        self.shape.frame.globals_alone(module, before, add_rounds);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut hooks = self.shape.first_hook()..;
        for export in section {
            let export = export?;
            let (kind, index) = match export.kind {
                ExternalKind::Func => (ExportKind::Func, hooks.next().expect("there are fewer than 2^32")),
                _ => (ExportKind::Memory, export.index),
            };
            exports.export(export.name, kind, index);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_code_section(self, code, section)?;
        for (index, ((_, args, _), _)) in (0..).zip(&self.shape.imports) {
            code.function(&calls::fitting(index, args));
        }
        for hook in self.shape.hooks.clone() {
            let function = self.hook(hook);
            code.function(&function);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let ty = self.shape.frame.type_of(self.next).clone();
        self.next += 1;
        let mut known = ty.params().to_vec();
        for local in body.get_locals_reader()? {
            let (many, ty) = local?;
            known.extend(std::iter::repeat_n(ty, many as usize));
        }
        let mut function = Function::new(frame::locals(self, &body)?);
        self.give_up(&mut function, &ty);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            if self.rng.one_in(calls::ONE_IN) {
                self.call(&mut function, &known);
            }
            let operator = operators.read()?;
            let starts_round = matches!(operator, Operator::Loop { .. });
            function.instruction(&self.instruction(operator)?);
            if starts_round {
                self.give_up(&mut function, &ty);
            }
        }
        code.function(&function);
        Ok(())
    }
}

impl Enlivening {
    /// Returns zeros if no round is left.
    fn give_up(&self, function: &mut Function, ty: &FuncType) {
        let rounds = self.shape.frame.globals;
        function.instruction(&I::GlobalGet(rounds)).instruction(&I::I32Eqz).instruction(&I::If(BlockType::Empty));
        for result in ty.results() {
            function.instruction(&match result {
                wasmparser::ValType::I64 => I::I64Const(0),
                _ => I::I32Const(0),
            });
        }
        function.instruction(&I::Return).instruction(&I::End);
        function.instruction(&I::GlobalGet(rounds)).instruction(&I::I32Const(1)).instruction(&I::I32Sub);
        function.instruction(&I::GlobalSet(rounds));
    }
}

/// The global that holds how many rounds are left.
fn add_rounds(globals: &mut GlobalSection) {
    let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(ty, &ConstExpr::i32_const(ROUNDS));
}
