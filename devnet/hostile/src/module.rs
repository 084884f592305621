//! A guard with given functions, and how much of everything it may have.

use parapet_abi::{
    descriptor::SECTION,
    import::{EXPORT_MEMORY, EXPORT_ON_TX},
};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, Encode as _, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, Instruction, MemorySection, MemoryType,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use crate::contract;

const DESCRIPTOR: &str = r#"{"abi":1,"name":"hostile","version":"1","triggers":["frame"]}"#;

/// Bytes of a module that are not code: what a guard must have.
const FRAME_BYTES: usize = 1_024;
/// Bytes that a function takes besides its instructions.
const FUNCTION_BYTES: usize = 16;

/// How much of everything a module may have.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes of the module.
    pub module_bytes: usize,
    /// Functions.
    pub functions: u32,
    /// Bytes of a function's body.
    pub body_bytes: usize,
    /// Locals of a function.
    pub locals: u32,
    /// Parameters of a function.
    pub parameters: u32,
    /// Values that a block takes and gives, and results of a function.
    pub values: u32,
    /// Depth to which blocks are nested.
    pub depth: u32,
    /// Depth to which loops are nested.
    pub loops: u32,
    /// Targets of one `br_table`.
    pub targets: u32,
    /// Pages of memory.
    pub pages: u64,
    /// Elements of the table.
    pub table: u64,
}

/// One function.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Parameters.
    pub params: Vec<ValType>,
    /// Results.
    pub results: Vec<ValType>,
    /// Locals, by run of one type.
    pub locals: Vec<(u32, ValType)>,
    /// Instructions, without the last `end`.
    pub code: Vec<u8>,
}

impl Body {
    /// Appends instructions.
    #[must_use]
    pub fn then(mut self, instructions: &[Instruction<'_>]) -> Self {
        instructions.iter().for_each(|instruction| instruction.encode(&mut self.code));
        self
    }

    /// Appends instructions again and again, while the whole stays below `bytes` with `reserve` bytes to follow.
    #[must_use]
    pub fn fill(mut self, bytes: usize, reserve: usize, instructions: &[Instruction<'_>]) -> Self {
        let mut unit = Vec::new();
        instructions.iter().for_each(|instruction| instruction.encode(&mut unit));
        while self.code.len() + unit.len() + reserve + FUNCTION_BYTES + 4 * self.locals.len() < bytes {
            self.code.extend_from_slice(&unit);
        }
        self
    }
}

/// What a module is dressed up as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A native guard.
    Native,
    /// A CosmWasm contract, whose `sudo` calls the guard's `on_tx` and then accepts.
    Contract,
}

/// What a module is made of. The first function is `on_tx` and takes and gives nothing.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Functions.
    pub functions: Vec<Body>,
    /// Types beyond those of the functions, for blocks: they come first, by index.
    pub types: Vec<(Vec<ValType>, Vec<ValType>)>,
    /// Pages that memory starts with.
    pub pages: u64,
    /// Elements of the table, all of them the last function.
    pub table: u64,
    /// Mutable globals, 64 bits each.
    pub globals: u32,
    /// Data, by where it goes.
    pub data: Vec<(i32, Vec<u8>)>,
}

impl Default for Draft {
    fn default() -> Self {
        Self { functions: Vec::new(), types: Vec::new(), pages: 1, table: 0, globals: 0, data: Vec::new() }
    }
}

impl Draft {
    /// As many copies of a function as the module has room for, behind an `on_tx` that does nothing.
    #[must_use]
    pub fn copies(room: &Room, body: &Body) -> Self {
        let each = body.code.len() + FUNCTION_BYTES + 4 * body.locals.len();
        let copies = ((room.module_bytes - FRAME_BYTES) / each).clamp(1, room.functions as usize - 1);
        let mut functions = vec![Body::default()];
        functions.resize(copies + 1, body.clone());
        Self { functions, ..Self::default() }
    }

    /// The bytes of a module of this form.
    #[must_use]
    pub fn encode_as(&self, form: Form) -> Vec<u8> {
        match form {
            Form::Native => self.encode(&[]),
            Form::Contract => self.encode(&contract::entry_points()),
        }
    }

    /// The module's bytes, with further functions, exported, behind its own.
    fn encode(&self, entry_points: &[(&str, Body)]) -> Vec<u8> {
        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        let mut known = Vec::new();
        let mut index_of = |params: &[ValType], results: &[ValType]| {
            let wanted = (params.to_vec(), results.to_vec());
            let index = known.iter().position(|known| *known == wanted).unwrap_or_else(|| {
                types.ty().function(params.iter().copied(), results.iter().copied());
                known.push(wanted);
                known.len() - 1
            });
            u32::try_from(index).expect("few types are written")
        };
        for (params, results) in &self.types {
            index_of(params, results);
        }
        for body in self.functions.iter().chain(entry_points.iter().map(|(_, body)| body)) {
            functions.function(index_of(&body.params, &body.results));
            let mut function = Function::new(body.locals.iter().copied());
            function.raw(body.code.iter().copied()).instruction(&Instruction::End);
            code.function(&function);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions);
        if self.table > 0 {
            let mut tables = TableSection::new();
            let element_type = RefType::FUNCREF;
            let (minimum, maximum) = (self.table, Some(self.table));
            tables.table(TableType { element_type, table64: false, minimum, maximum, shared: false });
            module.section(&tables);
        }
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: self.pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        module.section(&memories);
        let mut globals = GlobalSection::new();
        for _ in 0..self.globals {
            let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
            globals.global(ty, &ConstExpr::i64_const(1));
        }
        module.section(&globals);
        let mut exports = ExportSection::new();
        exports.export(EXPORT_MEMORY, ExportKind::Memory, 0).export(EXPORT_ON_TX, ExportKind::Func, 0);
        let own = u32::try_from(self.functions.len()).expect("few functions are written");
        for (index, (name, _)) in (own..).zip(entry_points) {
            exports.export(name, ExportKind::Func, index);
        }
        module.section(&exports);
        if self.table > 0 {
            let last = u32::try_from(self.functions.len() - 1).expect("few functions are written");
            let mut elements = ElementSection::new();
            let all = vec![last; usize::try_from(self.table).expect("a table fits in memory")];
            elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(all.into()));
            module.section(&elements);
        }
        module.section(&code);
        let mut data = DataSection::new();
        for (offset, bytes) in &self.data {
            data.active(0, &ConstExpr::i32_const(*offset), bytes.iter().copied());
        }
        module.section(&data);
        module.section(&CustomSection { name: SECTION.into(), data: DESCRIPTOR.as_bytes().into() });
        module.finish()
    }
}
