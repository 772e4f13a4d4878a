//! Finds and stores the credential.
//!
//! In order: a variable, a file or standard input, the desktop's keyring, a file that is deleted with the login session
//! (`$XDG_RUNTIME_DIR`), and, if the user asked for it, a permanent file.

mod keyring;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use client::Secret;

use crate::failure::{Failure, Result};
use crate::folders::{Folders, no_home, write_private};

/// The variables that hold a token, in order.
const VARIABLES: [&str; 2] = ["NLP_TOKEN", "NOLAPSE_TOKEN"];
/// Bytes of the longest token that is read: identity tokens of CI systems have a few KiB.
const LONGEST: u64 = 16 * 1024;

/// A credential and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    /// The credential.
    pub(crate) secret: Secret,
    /// Where it was found.
    pub(crate) source: Source,
}

/// Where a credential was found, or is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable of the environment.
    Variable(&'static str),
    /// The file of `--token-file`.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// The desktop's keyring.
    Keyring,
    /// A file that is deleted with the login session.
    Runtime(PathBuf),
    /// A permanent file, readable by every program of this user.
    Insecure(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Stdin => f.write_str("standard input"),
            Self::Keyring => f.write_str("the desktop's keyring"),
            Self::Runtime(file) => write!(f, "{}, until the machine restarts", file.display()),
            Self::Insecure(file) => write!(f, "{}, unencrypted", file.display()),
        }
    }
}

impl Source {
    /// The warning that `whoami` and `doctor` print for a credential kept in the clear.
    pub(crate) fn warning(&self) -> Option<String> {
        match self {
            Self::Insecure(file) => Some(format!(
                "the credential is stored unencrypted in {}: every program that runs as your user can read it",
                file.display()
            )),
            Self::Variable(_) | Self::File(_) | Self::Stdin | Self::Keyring | Self::Runtime(_) => None,
        }
    }
}

/// The secret in a text, without the line end that editors and `echo` add.
pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.trim())
}

/// The token in an environment variable.
pub(crate) fn from_variables() -> Option<Credential> {
    VARIABLES.into_iter().find_map(|name| {
        let text = std::env::var(name).ok().filter(|text| !text.trim().is_empty())?;
        Some(Credential { secret: secret(&text), source: Source::Variable(name) })
    })
}

/// The token in a file; `-` is standard input.
pub(crate) fn from_file(file: &Path) -> Result<Credential> {
    let mut text = String::new();
    let (read, source) = if file == Path::new("-") {
        (std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text), Source::Stdin)
    } else {
        let open = std::fs::File::open(file);
        (open.and_then(|open| open.take(LONGEST + 1).read_to_string(&mut text)), Source::File(file.to_owned()))
    };
    read.map_err(|error| Failure::new(format!("{source} cannot be read: {error}")))?;
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{source} does not contain a token")));
    }
    if text.len() as u64 > LONGEST {
        return Err(Failure::usage(format!("{source} is not a token: it is longer than {LONGEST} bytes")));
    }
    Ok(Credential { secret: secret(&text), source })
}

/// The credential that `login` stored for a profile.
pub(crate) fn find(folders: &Folders, profile: &str) -> Result<Option<Credential>> {
    if let Some(secret) = keyring::look_up(profile)? {
        return Ok(Some(Credential { secret, source: Source::Keyring }));
    }
    for source in files(folders, profile) {
        let file = match &source {
            Source::Runtime(file) | Source::Insecure(file) => file,
            Source::Variable(_) | Source::File(_) | Source::Stdin | Source::Keyring => continue,
        };
        match std::fs::read_to_string(file) {
            Ok(text) => return Ok(Some(Credential { secret: secret(&text), source })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::new(format!("{} cannot be read: {error}", file.display()))),
        }
    }
    Ok(None)
}

/// The files that may hold a profile's credential.
fn files(folders: &Folders, profile: &str) -> Vec<Source> {
    let runtime = folders.runtime.as_ref().map(|folder| Source::Runtime(folder.join(profile)));
    let config = folders.config.as_ref();
    let insecure = config.map(|folder| Source::Insecure(folder.join("credentials").join(profile)));
    runtime.into_iter().chain(insecure).collect()
}

/// Whether a permanent file may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Insecure {
    /// No: fail if there is no better place.
    Refused,
    /// Yes: the user asked for it.
    Accepted,
}

/// Stores a profile's credential in the best available place, and returns the place.
pub(crate) fn keep(folders: &Folders, profile: &str, secret: &Secret, insecure: Insecure) -> Result<Source> {
    if insecure == Insecure::Refused {
        if keyring::store(profile, secret)? {
            return Ok(Source::Keyring);
        }
        if let Some(folder) = &folders.runtime {
            let file = folder.join(profile);
            write_private(&file, &format!("{}\n", secret.expose()))?;
            return Ok(Source::Runtime(file));
        }
        return Err(Failure::new("there is neither a keyring nor a folder of this login session to store the key in")
            .next("use --insecure-storage to store it unencrypted in a file, or set NLP_TOKEN for each command"));
    }
    let folder = folders.config.as_ref().ok_or_else(no_home)?;
    let file = folder.join("credentials").join(profile);
    write_private(&file, &format!("{}\n", secret.expose()))?;
    Ok(Source::Insecure(file))
}

/// Removes a profile's credential from every place where `login` may have stored it.
pub(crate) fn forget(folders: &Folders, profile: &str) -> Result<()> {
    keyring::clear(profile);
    for source in files(folders, profile) {
        if let Source::Runtime(file) | Source::Insecure(file) = source {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::new(format!("{} cannot be removed: {error}", file.display())));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}
