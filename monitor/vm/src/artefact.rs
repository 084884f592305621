//! Compiled modules on disk, so that a node that starts again need not compile what it had compiled before.
//!
//! Invariant: what is loaded is what this very engine would compile from the same module. The name of a file says which
//! module it belongs to, under which engine, settings and prices; its first bytes are a digest over that name and all
//! that follows. A file that was cut short, changed or renamed is not loaded but made again.
//!
//! The digest guards against accidents. Whoever may write to the folder owns the node's data, and could replace the node.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::SystemTime,
};

use alloy_primitives::{B256, Keccak256, hex};
use wasmtime::{Engine, Module};

use crate::metering::METERING_VERSION;

/// Version of the files and of what is done to modules before they are compiled.
const FORMAT_VERSION: u32 = 1;
/// Ending of their names.
const EXTENSION: &str = "guard";
/// Most files, and most bytes of all of them; the oldest leave.
const FILES_MAX: usize = 8_192;
const FOLDER_BYTES_MAX: u64 = 4 * 1_024 * 1_024 * 1_024;
/// Longest file, in bytes. What is longer is compiled again each time.
const FILE_BYTES_MAX: u64 = 64 * 1_024 * 1_024;
/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

/// A folder of compiled modules.
#[derive(Clone, Debug)]
pub(crate) struct Artefacts {
    folder: PathBuf,
}

impl Artefacts {
    /// A folder, made if there is none.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The compiled form of a module, read, or else made and written.
    ///
    /// # Errors
    /// What `make` objects to. A file that cannot be read or written costs time only.
    pub(crate) fn module(
        &self,
        engine: &Engine,
        bytes: &[u8],
        make: impl FnOnce() -> wasmtime::Result<Module>,
    ) -> wasmtime::Result<Module> {
        let key = key(engine, METERING_VERSION, bytes);
        let path = self.path(key);
        match read(&path, key) {
            Ok(compiled) => {
                // A compiled module of another engine is refused here, whatever its name says.
                #[allow(unsafe_code, reason = "only wasmtime can tell what it has compiled; SAFETY below")]
                // SAFETY: the digest over the bytes and their key proves that they are, unchanged, what `write` was
                // given, which is what `Module::serialize` made of a module of this key.
                match unsafe { Module::deserialize(engine, compiled) } {
                    Ok(module) => return Ok(module),
                    Err(error) => tracing::warn!(path = %path.display(), "a compiled guard cannot be used: {error:#}"),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), "a compiled guard cannot be read: {error}"),
        }
        let module = make()?;
        let written = module.serialize().map_err(|error| io::Error::other(format!("{error:#}")));
        if let Err(error) = written.and_then(|compiled| self.write(&path, key, &compiled)) {
            tracing::warn!(path = %path.display(), "a compiled guard cannot be kept: {error}");
        }
        Ok(module)
    }

    fn path(&self, key: B256) -> PathBuf {
        self.folder.join(format!("{}.{EXTENSION}", hex::encode(key)))
    }

    /// Writes beside and renames, so that nobody meets half a file.
    fn write(&self, path: &Path, key: B256, compiled: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let beside = path.with_extension(format!("{}-{}", process::id(), NEXT.fetch_add(1, Relaxed)));
        let file = [digest(key, compiled).as_slice(), compiled].concat();
        let written = fs::write(&beside, file).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            // It may never have been there.
            let _ = fs::remove_file(&beside);
        }
        written.and_then(|()| self.forget_oldest())
    }

    fn forget_oldest(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), entry.path()));
        }
        files.sort_unstable();
        let (mut count, mut bytes) = (files.len(), files.iter().map(|(_, bytes, _)| bytes).sum::<u64>());
        for (_, size, path) in files {
            if count <= FILES_MAX && bytes <= FOLDER_BYTES_MAX {
                break;
            }
            fs::remove_file(path)?;
            (count, bytes) = (count - 1, bytes - size);
        }
        Ok(())
    }
}

/// Reads a file, if it is whole and belongs to the key.
fn read(path: &Path, key: B256) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut file)?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged, and is compiled again");
    let (found, compiled) = file.split_at_checked(DIGEST_BYTES).ok_or_else(damaged)?;
    if found != digest(key, compiled).as_slice() {
        return Err(damaged());
    }
    Ok(compiled.to_vec())
}

fn digest(key: B256, compiled: &[u8]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(key);
    hasher.update(compiled);
    hasher.finalize()
}

/// Names what is compiled, and everything that decides what it is compiled to: the prices, and the engine's version and
/// settings, among which wasmtime counts its table of operator costs.
fn key(engine: &Engine, metering_version: u32, bytes: &[u8]) -> B256 {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let mut hasher = Keccak256::new();
    hasher.update(FORMAT_VERSION.to_be_bytes());
    hasher.update(metering_version.to_be_bytes());
    hasher.update(settings.finish().to_be_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, OptLevel};

    use super::*;

    /// A folder, the modules that are kept in it, and the engine they are for.
    struct Shelf {
        folder: tempfile::TempDir,
        artefacts: Artefacts,
        engine: Engine,
    }

    fn shelf() -> Shelf {
        let folder = tempfile::tempdir().expect("there is room");
        let artefacts = Artefacts::open(&folder.path().join("guards")).expect("it can be made");
        Shelf { folder, artefacts, engine: Engine::default() }
    }

    /// A module that exports one function.
    fn exporting(name: &str) -> Vec<u8> {
        wat::parse_str(format!(r#"(module (func (export "{name}")))"#)).expect("is Wasm")
    }

    impl Shelf {
        /// What the module exports that is had for the one that exports `name`.
        fn had(&self, name: &str) -> String {
            let bytes = exporting(name);
            let make = || Module::new(&self.engine, &bytes);
            let module = self.artefacts.module(&self.engine, &bytes, make).expect("it compiles");
            module.exports().next().expect("it exports one function").name().to_owned()
        }

        fn key(&self, name: &str) -> B256 {
            key(&self.engine, METERING_VERSION, &exporting(name))
        }

        /// Puts the compiled form of one module where that of another belongs, under a digest for `key`.
        fn plant(&self, for_name: &str, key: B256, name: &str) {
            let module = Module::new(&self.engine, exporting(name)).expect("it compiles");
            let compiled = module.serialize().expect("it can be written");
            self.artefacts.write(&self.artefacts.path(self.key(for_name)), key, &compiled).expect("there is room");
        }
    }

    #[test]
    fn what_was_compiled_before_is_read_and_not_compiled_again() {
        let shelf = shelf();
        shelf.plant("a", shelf.key("a"), "b");
        assert_eq!(shelf.had("a"), "b", "the file was read");
    }

    #[test]
    fn what_was_never_compiled_is_compiled_and_kept() {
        let shelf = shelf();
        let path = shelf.artefacts.path(shelf.key("a"));
        assert!(!path.exists());
        assert_eq!(shelf.had("a"), "a");
        assert!(read(&path, shelf.key("a")).is_ok());
        assert_eq!(shelf.had("a"), "a");
    }

    #[test]
    fn damaged_files_are_never_loaded_and_made_again() {
        let shelf = shelf();
        let path = shelf.artefacts.path(shelf.key("a"));
        shelf.plant("a", shelf.key("a"), "b");
        let whole = fs::read(&path).expect("it was planted");
        let cuts = [0, 1, DIGEST_BYTES, DIGEST_BYTES + 1, whole.len() / 2, whole.len() - 1];
        let mut damaged: Vec<Vec<u8>> = cuts.map(|cut| whole[..cut].to_vec()).into();
        for at in (0..whole.len()).step_by(1 + whole.len() / 200) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            damaged.push(flipped);
        }
        damaged.push([whole.as_slice(), b"more"].concat());
        for file in damaged {
            fs::write(&path, &file).expect("there is room");
            assert_eq!(shelf.had("a"), "a", "{} bytes", file.len());
            assert!(read(&path, shelf.key("a")).is_ok(), "it is whole again");
        }
    }

    #[test]
    fn a_module_compiled_under_other_prices_is_never_loaded() {
        let shelf = shelf();
        let stale = key(&shelf.engine, METERING_VERSION - 1, &exporting("a"));
        assert_ne!(stale, shelf.key("a"));
        // Even if the file is renamed.
        shelf.plant("a", stale, "b");
        assert_eq!(shelf.had("a"), "a");
    }

    #[test]
    fn a_file_of_another_module_or_another_engine_is_never_loaded() {
        let shelf = shelf();
        shelf.plant("a", shelf.key("b"), "b");
        assert_eq!(shelf.had("a"), "a");
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::None);
        let other = Engine::new(&config).expect("it starts");
        let foreign = key(&other, METERING_VERSION, &exporting("a"));
        assert_ne!(foreign, shelf.key("a"));
        shelf.plant("a", foreign, "b");
        assert_eq!(shelf.had("a"), "a");
    }

    #[test]
    fn a_folder_that_is_gone_costs_time_only() {
        let shelf = shelf();
        fs::remove_dir_all(shelf.folder.path()).expect("it was there");
        assert_eq!(shelf.had("a"), "a");
    }
}
