//! Comparing the ledger with the database, and repeating what the database has lost.
//!
//! Of entries the database has, nothing is asked. Whether it has one is not a question of time: it has an event of that number and
//! that hash in that trail, or it does not. What it lacks is repeated in the name of the deployment, each change with its own audit
//! event, under the locks and guards every change has: two nodes that repeat the same entry do it once.
//!
//! A database loses the last changes that were written to it. So a start compares the newest entries, and reads the rest only if
//! the database lacks one of those. A replay ends with an event of its own, which is an entry as well: as long as the database has that, nothing
//! before it is looked at again.

mod catch_up;
mod changes;
mod comparison;
mod completion;
mod parts;
mod run;
mod state;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_trail::ledger::Folder;

use crate::context::Context;
use crate::error::Failure;
use crate::ledger::Ledger;
use crate::rights::Refused;

pub use completion::Completion;

use catch_up::CATCH_UP;
use comparison::look;
use run::replay;

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoroughness {
    /// The newest entries, and all if one of those is missing.
    Newest,
    /// All.
    Everything,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Entries that the database did not have.
    pub lost: u64,
    /// Tokens that were revoked again.
    pub tokens: u64,
    /// Other changes that were made again: people, organisations and actors switched off, members removed, sessions ended, graces cut.
    pub others: u64,
    /// Entries about things that the database does not have either, or that are as the entry says.
    pub needless: u64,
    /// Lines of the ledger that could not be read.
    pub damaged: u64,
    /// Changes that a person has to make again, at most a thousand of them: the action, its target and its trail.
    pub by_hand: Vec<String>,
    /// How many there are beside those.
    pub unnamed: u64,
}

impl Repeated {
    fn and(mut self, other: Self) -> Self {
        // Taken apart, so that a new field has to be named here.
        let Self { lost, tokens, others, needless, damaged, by_hand, unnamed } = other;
        self.lost += lost;
        self.tokens += tokens;
        self.others += others;
        self.needless += needless;
        self.damaged += damaged;
        self.by_hand.extend(by_hand);
        self.unnamed += unnamed;
        self
    }
}

/// Why a ledger cannot be compared or repeated.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It is not of this database.
    #[error(
        "{0} is the ledger of another deployment's database: point ledger.directory to another folder, or move what is in this one away"
    )]
    OtherDatabase(PathBuf),
    /// It cannot be completed before an older copy takes the place of the database.
    #[error(
        "the ledger {0} cannot be written: {1}; make room, or make it writable: nothing was restored, because the ledger lacks changes that the present database has"
    )]
    Unwritable(PathBuf, io::Error),
    /// It cannot be read.
    #[error(
        "the ledger {0} cannot be read: {1}; make it readable, or move it away, and revoke again what was revoked since the copy was made"
    )]
    Unreadable(PathBuf, io::Error),
    /// A change was refused.
    #[error("what the ledger of revocations says could not be repeated: {0}; start again")]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("the ledger of revocations could not be compared with the database: {0}; start again")]
    Failed(#[from] Failure),
}

impl From<storage::StoreError> for LedgerError {
    fn from(error: storage::StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl Ledger {
    /// Compares the ledger with the database and repeats what the database has lost; nothing if it has lost nothing. Writes to the
    /// ledger what a crash kept out of it. Call it before anything is answered.
    ///
    /// # Errors
    /// A ledger of another database, one that cannot be read, an error of the store.
    pub async fn settle(
        &self,
        context: &Arc<Context>,
        thoroughness: Thoroughness,
    ) -> Result<Option<Repeated>, LedgerError> {
        let _alone = self.settling().await;
        let folder = self.folder();
        // From here on, the files have everything that this process committed before, but for these.
        let waiting = self.waiting_entries().await;
        let found = look(context, folder, waiting.clone()).await?;
        let Some(identity) = found.identity.clone() else {
            // The deployment is not set up yet.
            return Ok(None);
        };
        self.identify(identity);
        let unreadable = |error| LedgerError::Unreadable(folder.path().to_owned(), error);
        let was_interrupted = folder.has_unfinished_replay().map_err(unreadable)?;
        let mut repeated = None;
        if !found.is_whole || was_interrupted || thoroughness == Thoroughness::Everything {
            // Nothing is removed from the folder until it ends.
            if folder.path().is_dir()
                && let Err(error) = folder.begin_replay()
            {
                tracing::error!(%error, "the folder of the ledger of revocations cannot be written: do not interrupt the replay");
            }
            repeated = replay(context, folder, found.identity.as_deref(), waiting).await?;
            if let Err(error) = folder.end_replay() {
                tracing::error!(%error, "the folder of the ledger of revocations cannot be written: the next start compares all of it");
            }
        }
        if let Some(repeated) = &repeated {
            self.note_repeated(repeated.tokens + repeated.others);
        }
        if let Some(last) = found.last {
            self.catch_up_since(context, last - CATCH_UP, &found.hashes).await?;
        } else {
            tracing::info!("the ledger of revocations begins now: it does not know what was revoked before");
            self.catch_up(Vec::new(), context.now()).await;
        }
        Ok(repeated)
    }
}

impl Context {
    /// Another server or an older copy may have taken the place of the database: nothing that is read is answered until
    /// [`settle_ledger`](Self::settle_ledger) has compared it.
    pub fn await_comparison(&self) {
        if self.ledger.is_some() {
            self.comparisons.begin();
        }
    }

    /// Compares the ledger with a database that took the place of another and is followed now, and repeats what is lost, in the
    /// background. It is tried until it ends: what may have been revoked is not valid.
    pub fn settle_ledger(self: &Arc<Self>) {
        /// Between two attempts.
        const AGAIN: Duration = Duration::from_secs(1);
        let Some(ledger) = self.ledger.clone() else { return };
        let begun = self.comparisons.begun();
        let context = Arc::clone(self);
        self.units.spawn_to_be_cut_off(async move {
            let mut is_said = false;
            while let Err(error) = ledger.settle(&context, Thoroughness::Newest).await {
                if context.units.is_draining() {
                    return;
                }
                if !std::mem::replace(&mut is_said, true) {
                    tracing::error!(%error, "until the ledger of revocations is compared, this node answers 503: it is tried each second");
                }
                tokio::time::sleep(AGAIN).await;
            }
            context.comparisons.end(begun);
        });
    }
}

/// Compares all of a ledger, this process's or another's such as that of a node that is gone, and repeats what the database has lost.
/// This process's own is compared first: the event of a replay tells it that everything before was.
///
/// # Errors
/// As [`Ledger::settle`].
pub async fn repeat(context: &Arc<Context>, folder: &Folder) -> Result<Option<Repeated>, LedgerError> {
    let mut own = None;
    if let Some(ledger) = context.ledger() {
        if folder.path().canonicalize().ok() == ledger.folder().path().canonicalize().ok() {
            return ledger.settle(context, Thoroughness::Everything).await;
        }
        own = ledger.settle(context, Thoroughness::Newest).await?;
    }
    let found = look(context, folder, Vec::new()).await?;
    let others = replay(context, folder, found.identity.as_deref(), Vec::new()).await?;
    Ok(match (own, others) {
        (Some(own), Some(others)) => Some(own.and(others)),
        (one, other) => one.or(other),
    })
}
