//! The fixtures that lie beside the project, unpacked once.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::ConformanceError;

/// Where the archive lies, seen from the project.
const ARCHIVE: &str = "../shared/fixtures/fixtures.tar.xz";
/// Where it is unpacked, seen from the project.
const TARGET: &str = "target/fixtures";
/// The archive's folder.
const FOLDER: &str = "dev";
/// Stands beside it when all of it is there.
const DONE: &str = "unpacked";

/// Unpacks the fixtures to `target/fixtures`, where that has not been done, and gives the folder; `None` where there are
/// none. Two processes may do so at once: each unpacks into a folder of its own, and the first to be done wins.
///
/// # Errors
/// [`ConformanceError::Unpack`].
pub fn unpacked(project: &Path) -> Result<Option<PathBuf>, ConformanceError> {
    let (archive, target) = (project.join(ARCHIVE), project.join(TARGET));
    let folder = target.join(FOLDER);
    if target.join(DONE).is_file() && folder.is_dir() {
        return Ok(Some(folder));
    }
    if !archive.is_file() {
        return Ok(None);
    }
    unpack(&archive, &target).map_err(|source| ConformanceError::Unpack { archive, source })?;
    Ok(Some(folder))
}

fn unpack(archive: &Path, target: &Path) -> io::Result<()> {
    let own = target.join(format!("unpacking-{}", std::process::id()));
    fs::create_dir_all(&own)?;
    let status = Command::new("tar").arg("-xJf").arg(archive).arg("-C").arg(&own).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("tar ended with {status}")));
    }
    // The archive's folders are read-only, and only a folder that can be written to can be moved.
    let status = Command::new("chmod").arg("-R").arg("u+w").arg(&own).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("chmod ended with {status}")));
    }
    if let Err(error) = fs::rename(own.join(FOLDER), target.join(FOLDER))
        && !target.join(FOLDER).is_dir()
    {
        return Err(error);
    }
    fs::remove_dir_all(&own)?;
    fs::write(target.join(DONE), "")
}
