//! The linear memory of an instance and its globals, which can be put back to how they were before anything ran.
//!
//! This is what makes an instance good for more than one transaction: of all that a contract can change, nothing lasts.
//! What it can change is its memory, its memory's size and its globals; vetting refuses the operators that change
//! tables or drop segments, and cosmwasm-vm's own state is set for each call ([`crate::instance`]).
//!
//! Invariant: pointers into an instance are used only through the [`Parts`] of that instance, by whoever holds it
//! exclusively, while it lives.

use std::{fmt, ptr::NonNull, sync::Arc};

use parking_lot::Mutex;
use region::Protection;
use wasmer::{
    GlobalType, MemoryError, MemoryType, Pages, TableType,
    sys::{
        BaseTunables, Tunables,
        vm::{
            LinearMemory, MemoryStyle, Mmap, MmapType, TableStyle, VMConfig, VMGlobal, VMGlobalDefinition, VMMemory,
            VMMemoryDefinition, VMTable, VMTableDefinition,
        },
    },
};

use crate::limits::{MEMORY_PAGES_MAX, STACK_BYTES_MAX};

/// Where an instance keeps what a contract can change.
#[derive(Debug, Default)]
pub(crate) struct Parts(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    area: Option<Arc<Mutex<Area>>>,
    globals: Vec<Location<VMGlobalDefinition>>,
    /// The system did not give what was asked for.
    refused: Option<String>,
}

/// A place inside an instance.
struct Location<T>(NonNull<T>);

impl<T> fmt::Debug for Location<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<T> Clone for Location<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

// SAFETY: only an address is sent. Whoever follows it holds the instance exclusively, by this module's invariant.
#[allow(unsafe_code, reason = "an address may be known to any thread")]
unsafe impl<T> Send for Location<T> {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "an address may be known to any thread")]
unsafe impl<T> Sync for Location<T> {}

/// Whether a contract was refused memory that it could not have paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starved {
    Yes,
    No,
}

/// An instance's state before anything of it ran.
#[derive(Debug)]
pub(crate) struct Image {
    /// Bytes of the initial pages, without the zeros behind the last that is none.
    bytes: Vec<u8>,
    pages: Pages,
    globals: Vec<u128>,
}

impl Image {
    /// Pages that memory starts with.
    pub(crate) const fn pages(&self) -> u32 {
        self.pages.0
    }
}

impl Parts {
    /// Why the system refused what the instance needs, if it did.
    pub(crate) fn refused(&self) -> Option<String> {
        self.0.lock().refused.clone()
    }

    /// Lets memory grow by so many pages in the call that follows.
    pub(crate) fn allow(&self, pages: u32) {
        if let Some(area) = &self.0.lock().area {
            let mut area = area.lock();
            area.pages_max = Pages(area.pages.0.saturating_add(pages).min(MEMORY_PAGES_MAX));
            area.starved = Starved::No;
        }
    }

    /// Pages of linear memory, and whether there would have been more for more fuel.
    pub(crate) fn pages(&self) -> (u32, Starved) {
        self.0.lock().area.as_ref().map_or((0, Starved::No), |area| {
            let area = area.lock();
            (area.pages.0, area.starved)
        })
    }

    /// Takes the state of a new instance.
    pub(crate) fn image(&self) -> Image {
        let found = self.0.lock();
        let area = found.area.as_ref().expect("vetting asks for a memory").lock();
        let accessible = area.accessible();
        let used = accessible.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let globals = found.globals.iter().map(read_global).collect();
        Image { bytes: accessible[..used].to_vec(), pages: area.pages, globals }
    }

    /// Puts everything back.
    ///
    /// # Errors
    /// When the system does not protect memory; the instance must not be used again.
    pub(crate) fn restore(&self, image: &Image) -> Result<(), region::Error> {
        let found = self.0.lock();
        for (location, value) in found.globals.iter().zip(&image.globals) {
            write_global(location, *value);
        }
        found.area.as_ref().expect("vetting asks for a memory").lock().restore(image)
    }

    /// Sets cosmwasm-vm's meter, which is the last two globals of a module: what is left, and whether that is none.
    pub(crate) fn set_gas(&self, gas: u64) {
        let found = self.0.lock();
        if let [.., left, exhausted] = found.globals.as_slice() {
            write_global(left, gas.into());
            write_global(exhausted, 0);
        }
    }
}

#[allow(unsafe_code, reason = "globals lie in the instance; SAFETY below")]
fn read_global(location: &Location<VMGlobalDefinition>) -> u128 {
    // SAFETY: the location is that of a global of a living instance that the caller holds exclusively. All 16 bytes of
    // its value are initialised: a global is made of zeros, and its initial value is written as a whole.
    unsafe { location.0.as_ref().val.u128 }
}

#[allow(unsafe_code, reason = "globals lie in the instance; SAFETY below")]
fn write_global(location: &Location<VMGlobalDefinition>, value: u128) {
    // SAFETY: as in `read_global`; every pattern of 16 bytes is a value of one of the number types, the only ones that
    // vetting lets globals have.
    unsafe { (*location.0.as_ptr()).val.u128 = value };
}

/// Makes memories that can be put back, and remembers where an instance's parts lie. One for each instance.
pub(crate) struct Restorable {
    pub(crate) parts: Arc<Parts>,
    base: BaseTunables,
    config: VMConfig,
}

impl Restorable {
    pub(crate) fn new(parts: Arc<Parts>) -> Self {
        Self { parts, base: BaseTunables::new(), config: VMConfig { wasm_stack_size: Some(STACK_BYTES_MAX) } }
    }
}

#[allow(unsafe_code, reason = "the trait's own methods are unsafe to call")]
impl Tunables for Restorable {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        self.base.memory_style(memory)
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.base.table_style(table)
    }

    fn create_host_memory(&self, _: &MemoryType, _: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "contracts bring their own memory".to_owned() })
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        let mut found = self.parts.0.lock();
        let area = Area::new(ty, *style, location).inspect_err(|error| found.refused = Some(error.to_string()))?;
        let area = Arc::new(Mutex::new(area));
        found.area = Some(area.clone());
        Ok(VMMemory(Box::new(Shared { area, ty: *ty, style: *style, location: Location(location) })))
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(ty, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.base.create_vm_table(ty, style, location) }
    }

    unsafe fn create_vm_global(
        &self,
        ty: GlobalType,
        location: NonNull<VMGlobalDefinition>,
    ) -> Result<VMGlobal, String> {
        self.parts.0.lock().globals.push(Location(location));
        // SAFETY: the caller's promise is passed on.
        Ok(unsafe { VMGlobal::new_instance(ty, location) })
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.config
    }
}

/// A reserved part of the address space, the beginning of which is accessible.
#[derive(Debug)]
struct Area {
    mmap: Mmap,
    pages: Pages,
    /// To how many it may grow in this call.
    pages_max: Pages,
    starved: Starved,
    /// Where compiled code looks up start and length.
    definition: Location<VMMemoryDefinition>,
}

impl Area {
    fn new(ty: &MemoryType, style: MemoryStyle, location: NonNull<VMMemoryDefinition>) -> Result<Self, MemoryError> {
        if !matches!(style, MemoryStyle::Static) {
            return Err(MemoryError::UnsupportedOperation { message: "code was compiled to check bounds".to_owned() });
        }
        // Compiled code checks no bounds: whatever an index and an instruction's constant offset can reach is reserved,
        // and what the contract does not have is not accessible.
        let guard = usize::try_from(style.offset_guard_size()).expect("address space has 64 bits");
        let reserved = MemoryStyle::static_bound().bytes().0 + guard;
        let mapped = Mmap::accessible_reserved(ty.minimum.bytes().0, reserved, None, MmapType::Private);
        let mut area = Self {
            mmap: mapped.map_err(MemoryError::Region)?,
            pages: ty.minimum,
            pages_max: Pages(MEMORY_PAGES_MAX),
            starved: Starved::No,
            definition: Location(location),
        };
        area.tell();
        Ok(area)
    }

    fn bytes(&self) -> usize {
        self.pages.bytes().0
    }

    fn accessible(&self) -> &[u8] {
        self.mmap.as_slice_arbitary(self.bytes())
    }

    /// Tells compiled code how much there is.
    #[allow(unsafe_code, reason = "the definition lies in the instance; SAFETY below")]
    fn tell(&mut self) {
        let definition = VMMemoryDefinition { base: self.mmap.as_mut_ptr(), current_length: self.bytes() };
        // SAFETY: the location is that of a memory's definition in a living instance, or one that is being made, whose
        // exclusive holder is the caller.
        unsafe { self.definition.0.as_ptr().write(definition) };
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let before = self.pages;
        let refused = || MemoryError::CouldNotGrow { current: before, attempted_delta: delta };
        let after = before.checked_add(delta).filter(|after| after.0 <= MEMORY_PAGES_MAX).ok_or_else(refused)?;
        if after > self.pages_max {
            self.starved = Starved::Yes;
            return Err(refused());
        }
        if delta.0 > 0 {
            let made = self.mmap.make_accessible(before.bytes().0, delta.bytes().0);
            // The system refusing memory must not look to the contract like reaching its cap, which other machines
            // would not see. There is no way to end a call from here with a fault, and what an allocator does without
            // memory it decides: better to stop.
            made.expect("a few pages of reserved address space can be made accessible");
            self.pages = after;
            self.tell();
        }
        Ok(before)
    }

    #[allow(unsafe_code, reason = "pages that were grown are taken back; SAFETY below")]
    fn restore(&mut self, image: &Image) -> Result<(), region::Error> {
        let bytes = self.bytes();
        let memory = self.mmap.as_mut_slice_arbitrary(bytes);
        put_back(memory, &image.bytes);
        let kept = image.pages.bytes().0;
        if bytes > kept {
            let grown = memory[kept..].as_ptr();
            // SAFETY: the range is within the mapping that is this area's own. Nobody refers to it: the slice above ends
            // here, and nothing of the contract runs.
            unsafe { region::protect(grown, bytes - kept, Protection::NONE)? };
            self.pages = image.pages;
            self.tell();
        }
        Ok(())
    }
}

/// Makes `memory` begin with `image` and be zero behind it, writing only where it is not.
fn put_back(memory: &mut [u8], image: &[u8]) {
    /// A block is compared before it is written: most of a contract's stack and heap is never touched.
    const BLOCK_BYTES: usize = 4_096;
    const ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

    for (index, block) in memory.chunks_mut(BLOCK_BYTES).enumerate() {
        let start = (index * BLOCK_BYTES).min(image.len());
        let original = &image[start..image.len().min(start + block.len())];
        let (head, tail) = block.split_at_mut(original.len());
        if head != original {
            head.copy_from_slice(original);
        }
        if *tail != ZEROS[..tail.len()] {
            tail.fill(0);
        }
    }
}

/// An area as wasmer sees it.
#[derive(Debug)]
struct Shared {
    area: Arc<Mutex<Area>>,
    ty: MemoryType,
    style: MemoryStyle,
    location: Location<VMMemoryDefinition>,
}

impl LinearMemory for Shared {
    fn ty(&self) -> MemoryType {
        MemoryType { minimum: self.size(), maximum: Some(Pages(MEMORY_PAGES_MAX)), ..self.ty }
    }

    fn size(&self) -> Pages {
        self.area.lock().pages
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        self.area.lock().grow(delta)
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.location.0
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "a contract's memory is not copied".to_owned() })
    }
}
