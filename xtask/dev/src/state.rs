//! What a development server keeps between runs: `var/dev/`, readable by its owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use task_support::fail::{Context as _, Result};
use task_support::{project, say};

/// Random bytes in a password; written as twice as many hexadecimal digits.
const PASSWORD_BYTES: usize = 12;

/// The folder and the files in it.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    /// Opens `var/dev/`. Empties it if `fresh` or if the last set-up did not finish.
    pub(crate) fn open(fresh: bool) -> Result<Self> {
        Self::open_in(project::root().join("var/dev"), fresh)
    }

    fn open_in(folder: PathBuf, fresh: bool) -> Result<Self> {
        let state = Self { folder };
        // The password is stored last: without it the set-up did not finish and the database is of no use.
        let half_made = state.password().is_none() && state.database().exists();
        if half_made && !fresh {
            say::note("the last set-up did not finish: starting over");
        }
        if fresh || half_made {
            match std::fs::remove_dir_all(&state.folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).attempt(|| format!("remove {}", state.folder.display()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&state.folder);
        made.attempt(|| format!("create {}", state.folder.display()))?;
        Ok(state)
    }

    /// The folder of the state.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn database(&self) -> PathBuf {
        self.folder.join("nolapse.db")
    }

    /// The database's URL.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite://{}", self.database().display())
    }

    /// The person's password, once the set-up is complete.
    pub(crate) fn password(&self) -> Option<String> {
        self.read("password")
    }

    /// The stored token.
    pub(crate) fn token(&self) -> Option<String> {
        self.read("token")
    }

    /// Marks the set-up as complete.
    pub(crate) fn keep_password(&self, password: &str) -> Result {
        self.write("password", password)
    }

    /// Stores a token for the next run.
    pub(crate) fn keep_token(&self, token: &str) -> Result {
        self.write("token", token)
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.join(name)).ok().map(|text| text.trim().to_owned())
    }

    fn write(&self, name: &str, secret: &str) -> Result {
        let path = self.folder.join(name);
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{secret}"))
            .attempt(|| format!("write {}", path.display()))
    }
}

/// A random password, from the operating system's generator.
pub(crate) fn random_password() -> Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    File::open("/dev/urandom")
        .and_then(|mut generator| generator.read_exact(&mut bytes))
        .attempt(|| "read /dev/urandom".into())?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn secrets_outlive_the_run_and_belong_to_their_owner() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("dev");
        let state = State::open_in(folder.clone(), false).unwrap();
        assert_eq!((state.password(), state.token()), (None, None));
        state.keep_password("correct horse").unwrap();
        state.keep_token("nlp_1").unwrap();
        state.keep_token("nlp_2").unwrap();

        let again = State::open_in(folder.clone(), false).unwrap();
        assert_eq!(again.password().as_deref(), Some("correct horse"));
        assert_eq!(again.token().as_deref(), Some("nlp_2"));
        let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.join("password")), mode(folder.clone())), (0o600, 0o700));

        assert_eq!(State::open_in(folder, true).unwrap().password(), None);
    }

    #[test]
    fn a_half_made_state_is_thrown_away() {
        let parent = tempfile::tempdir().unwrap();
        let state = State::open_in(parent.path().join("dev"), false).unwrap();
        std::fs::write(state.database(), "half").unwrap();
        let again = State::open_in(parent.path().join("dev"), false).unwrap();
        assert!(!again.database().exists());
    }

    #[test]
    fn passwords_are_long_enough_and_differ() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_eq!(one.len(), 2 * PASSWORD_BYTES);
        assert_ne!(one, other);
    }
}
