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
pub(crate) const VARIABLES: [&str; 2] = ["NLP_TOKEN", "NOLAPSE_TOKEN"];
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
    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) | Self::Runtime(file) | Self::Insecure(file) => Some(file),
            Self::Variable(_) | Self::Stdin | Self::Keyring => None,
        }
    }

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

/// The credential that `login` stored for a profile, from the first place that has one.
pub(crate) fn find(folders: &Folders, profile: &str) -> Result<Option<Credential>> {
    for place in places(folders, profile) {
        if let Some(found) = look_in(place, profile)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// All credentials stored for a profile. There are several if the places that are available changed.
pub(crate) fn stored(folders: &Folders, profile: &str) -> Result<Vec<Credential>> {
    places(folders, profile).into_iter().filter_map(|place| look_in(place, profile).transpose()).collect()
}

/// The places that may hold a profile's credential, in the order in which they are looked through.
fn places(folders: &Folders, profile: &str) -> Vec<Source> {
    let runtime = folders.runtime.as_ref().map(|folder| Source::Runtime(folder.join(profile)));
    let config = folders.config.as_ref();
    let insecure = config.map(|folder| Source::Insecure(folder.join("credentials").join(profile)));
    std::iter::once(Source::Keyring).chain(runtime).chain(insecure).collect()
}

/// The credential in one of the places where `login` stores it.
fn look_in(place: Source, profile: &str) -> Result<Option<Credential>> {
    let Some(file) = place.file() else {
        return Ok(keyring::look_up(profile)?.map(|secret| Credential { secret, source: place }));
    };
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Credential { secret: secret(&text), source: place })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{} cannot be read: {error}", file.display()))),
    }
}

/// Whether a permanent file may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Insecure {
    /// No: fail if there is no better place.
    Refused,
    /// Yes: the user asked for it.
    Accepted,
}

/// Fails if there is no place to store a credential in, which is better known before one is created.
pub(crate) fn check_place(folders: &Folders, profile: &str, insecure: Insecure) -> Result<()> {
    if insecure == Insecure::Refused && keyring::is_possible() {
        return Ok(());
    }
    file_for(folders, profile, insecure).map(drop)
}

/// The file to store a profile's credential in.
fn file_for(folders: &Folders, profile: &str, insecure: Insecure) -> Result<Source> {
    match (insecure, &folders.runtime, &folders.config) {
        (Insecure::Refused, Some(folder), _) => Ok(Source::Runtime(folder.join(profile))),
        (Insecure::Refused, None, _) => {
            Err(Failure::new("there is neither a keyring nor a folder of this login session to store the key in")
                .next("use --insecure-storage to store it unencrypted in a file, or set NLP_TOKEN for each command"))
        }
        (Insecure::Accepted, _, Some(folder)) => Ok(Source::Insecure(folder.join("credentials").join(profile))),
        (Insecure::Accepted, _, None) => Err(no_home()),
    }
}

/// Stores a profile's credential in the best available place and in no other, and returns the place.
pub(crate) fn keep(folders: &Folders, profile: &str, secret: &Secret, insecure: Insecure) -> Result<Source> {
    let kept = if insecure == Insecure::Refused && keyring::store(profile, secret)? {
        Source::Keyring
    } else {
        let source = file_for(folders, profile, insecure)?;
        if let Some(file) = source.file() {
            write_private(file, &format!("{}\n", secret.expose()))?;
        }
        source
    };
    // An earlier credential in a place that is looked through first would be used instead.
    for place in places(folders, profile).into_iter().filter(|place| *place != kept) {
        remove(&place, profile)?;
    }
    Ok(kept)
}

/// Removes a profile's credential from every place where `login` may have stored it.
pub(crate) fn forget(folders: &Folders, profile: &str) -> Result<()> {
    places(folders, profile).iter().try_for_each(|place| remove(place, profile))
}

/// Removes this credential of a profile, wherever it is stored.
pub(crate) fn discard(folders: &Folders, profile: &str, secret: &Secret) -> Result<()> {
    let all = stored(folders, profile)?;
    all.iter().filter(|found| found.secret == *secret).try_for_each(|found| remove(&found.source, profile))
}

fn remove(place: &Source, profile: &str) -> Result<()> {
    let Some(file) = place.file() else {
        keyring::clear(profile);
        return Ok(());
    };
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("{} cannot be removed: {error}", file.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
