//! The folders of this program, and private files in them.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The folders of settings and credentials.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// `$XDG_CONFIG_HOME/nlp`
    pub(crate) config: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR/nlp`
    pub(crate) runtime: Option<PathBuf>,
}

impl Folders {
    /// The folders that the environment variables name.
    pub(crate) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
        Self {
            config: config.map(|folder| folder.join("nlp")),
            runtime: variable("XDG_RUNTIME_DIR").map(|folder| folder.join("nlp")),
        }
    }

    /// The file of profiles.
    pub(crate) fn profiles_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("profiles.json"))
    }
}

/// Neither `XDG_CONFIG_HOME` nor `HOME` names a folder.
pub(crate) fn no_home() -> Failure {
    Failure::new("there is no folder to keep settings in").next("set HOME or XDG_CONFIG_HOME")
}

/// Writes a file that nobody else may read, whole or not at all, into a folder that nobody else may enter.
pub(crate) fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let named = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(named)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut open| open.write_all(text.as_bytes()).and_then(|()| open.sync_all()))
        .and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        // Errors are ignored: the first error is reported.
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(named)
}
