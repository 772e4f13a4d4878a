//! Comparing the ledger with the database, and repeating what the database has lost.
//!
//! Of entries the database has, nothing is asked. Whether it has one is not a question of time: it has an event of that number and
//! that hash in that trail, or it does not. What it lacks is repeated in the name of the deployment, each change with its own audit
//! event, under the locks and guards every change has: two nodes that repeat the same entry do it once.
//!
//! What was lost is always the end of what was written, so a start looks at the newest entries, and reads the rest only if one
//! of those is missing. A replay ends with an event of its own, which is an entry as well: as long as the database has that, nothing
//! before it is looked at again.

mod completion;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit_trail::chain::hex;
use audit_trail::ledger::{Entry, Folder, read};
use storage::model::{ActorEdit, AuditFilter, Change as Edit, Revocation, Touched};
use token_domain::access::Direction;
use token_domain::id::{ActorId, OrganizationId, ProjectId, TokenId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{Principal, TokenOwner};
use token_domain::tenant::ActorStatus;
use token_domain::token::RevokeReason;
use token_domain::{Span, Timestamp};

use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::ledger::Ledger;
use crate::ledger::kinds::{self, DISABLED, ENABLED, REPLAY, Repeat};
use crate::origin::Origin;
use crate::rights::Refused;

pub use completion::Completion;

/// How many of the newest entries are compared at a start.
const NEWEST: usize = 500;
/// How many entries are compared at once.
const AT_ONCE: usize = 500;
/// How many changes that are to be done by hand are named.
const MOST_NAMED: usize = 1_000;
/// The clocks of two threads and the moments of two commits: entries this close to a replay are looked at again.
const MARGIN: Span = Span::seconds(10);
/// The most events that a start reads for that.
const MOST_CAUGHT_UP: usize = 100_000;
/// How far before the newest entry a start looks for events that a crash kept out of the ledger.
const CATCH_UP: Span = Span::seconds(60);

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
    /// Other changes that were made again: people and organisations switched off, members removed, sessions ended, graces cut.
    pub others: u64,
    /// Entries about things that the database does not have either, or that are as the entry says.
    pub needless: u64,
    /// Lines of the ledger that could not be read.
    pub damaged: u64,
    /// What has to be done again by somebody, at most a thousand of them: the action, on what, in which trail.
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

/// A pair of opposite states, of which the last entry counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Member,
    MemberOff,
    PersonOff,
    OrganizationOff,
    ActorOff,
    Rotated,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Member, Self::MemberOff, Self::PersonOff, Self::OrganizationOff, Self::ActorOff, Self::Rotated];

    /// The actions that may end it.
    const fn ends(self) -> &'static [&'static str] {
        match self {
            Self::Member => &["member.add"],
            Self::MemberOff => &["member.enable", "member.add"],
            Self::PersonOff => &["user.enable"],
            Self::OrganizationOff => &["organization.enable"],
            Self::ActorOff => &["actor.update"],
            Self::Rotated => &["token.rotate.cancel"],
        }
    }

    /// Whether an entry about its target ends it.
    fn is_ended_by(self, entry: &Entry) -> bool {
        self.ends().contains(&entry.action.as_str()) && kinds::gives_back(entry)
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
            // Nobody has set the deployment up.
            return Ok(None);
        };
        self.identify(identity);
        let unreadable = |error| LedgerError::Unreadable(folder.path().to_owned(), error);
        let was_interrupted = folder.has_unfinished_replay().map_err(unreadable)?;
        let mut repeated = None;
        if !found.is_whole || was_interrupted || thoroughness == Thoroughness::Everything {
            if !found.is_whole
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

    /// Writes down events that the ledger lacks: a process was killed after their commit, or its disk failed.
    async fn catch_up_since(
        &self,
        context: &Arc<Context>,
        since: Timestamp,
        known: &HashSet<[u8; 32]>,
    ) -> Result<(), LedgerError> {
        const PAGE: u32 = 1_000;
        let trails = context.store.read(move |reads| Box::pin(reads.trails_since(since))).await?;
        let (mut missed, mut looked_at) = (0, 0);
        'trails: for trail in trails {
            let mut after = None;
            loop {
                let filter = AuditFilter { from: Some(since), after, ..AuditFilter::chain(trail, 0, PAGE) };
                let events =
                    context.store.read(move |reads| Box::pin(async move { reads.list_audit(&filter).await })).await?;
                let entries = events.iter().filter(|event| !known.contains(&event.hash)).filter_map(kinds::entry);
                let entries: Vec<Entry> = entries.collect();
                if !entries.is_empty() {
                    missed += entries.len();
                    self.catch_up(entries, context.now()).await;
                }
                looked_at += events.len();
                if looked_at >= MOST_CAUGHT_UP {
                    tracing::warn!(
                        since = since.rfc3339_seconds(),
                        looked_at,
                        "the ledger of revocations was not written for long: later changes that it lacks are not looked for"
                    );
                    break 'trails;
                }
                match events.last() {
                    Some(last) if events.len() == PAGE as usize => after = Some(last.seq),
                    Some(_) | None => break,
                }
            }
        }
        if missed > 0 {
            tracing::info!(missed, "changes that had not reached the ledger of revocations were added to it");
        }
        Ok(())
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

/// What a look at the newest entries finds.
struct Found {
    /// What tells this database from others; nothing before the deployment is set up.
    identity: Option<String>,
    /// When the newest entry was, or when the ledger began that has none.
    last: Option<Timestamp>,
    /// The hashes of the newest entries.
    hashes: HashSet<[u8; 32]>,
    /// Whether the database has them.
    is_whole: bool,
}

/// `waiting` could not be written to the folder.
async fn look(context: &Arc<Context>, folder: &Folder, waiting: Vec<Entry>) -> Result<Found, LedgerError> {
    let first = AuditFilter::chain(None, 0, 1);
    let first = context.store.read(move |reads| Box::pin(async move { reads.list_audit(&first).await })).await?;
    let identity = first.first().filter(|event| event.seq == 1).map(|event| hex(&event.hash));
    let mut newest = newest(folder, identity.as_deref())?;
    newest.extend(waiting);
    let unreadable = |error| LedgerError::Unreadable(folder.path().to_owned(), error);
    let last = match newest.iter().map(|entry| entry.at).max() {
        Some(last) => Some(last),
        None => folder.newest_began().map_err(unreadable)?,
    };
    let hashes = newest.iter().map(|entry| entry.hash).collect();
    let is_whole = lost(context, newest).await?.is_empty();
    Ok(Found { identity, last, hashes, is_whole })
}

/// Compares all of a ledger with the database, and repeats what is lost.
async fn replay(
    context: &Arc<Context>,
    folder: &Folder,
    identity: Option<&str>,
    waiting: Vec<Entry>,
) -> Result<Option<Repeated>, LedgerError> {
    let replay = Replay {
        context: Arc::clone(context),
        done: Repeated::default(),
        settled: None,
        newer: 0,
        last: BTreeMap::new(),
        given_back: BTreeMap::new(),
    };
    replay.run(folder, identity, waiting).await
}

/// The newest entries, from the last parts. What is before a replay in its part, or a little older than it in another, is not among
/// them: several processes may have written at the same time, each to a part of its own.
fn newest(folder: &Folder, identity: Option<&str>) -> Result<Vec<Entry>, LedgerError> {
    let mut newest: Vec<Entry> = Vec::new();
    let mut settled: Option<Timestamp> = None;
    for part in parts(folder)?.into_iter().rev() {
        let mut entries = std::collections::VecDeque::new();
        let mut newest_replay = settled;
        take_from(&part, identity, |entry| {
            if settled.is_some_and(|settled| entry.at <= settled - MARGIN) {
                return;
            }
            if entry.action == REPLAY {
                newest_replay = newest_replay.max(Some(entry.at));
                entries.clear();
            }
            entries.push_back(entry);
            if entries.len() > NEWEST {
                entries.pop_front();
            }
        })?;
        newest.extend(entries);
        settled = newest_replay;
        if newest.len() >= NEWEST {
            break;
        }
    }
    Ok(newest)
}

fn parts(folder: &Folder) -> Result<Vec<PathBuf>, LedgerError> {
    folder.parts().map_err(|error| LedgerError::Unreadable(folder.path().to_owned(), error))
}

/// Hands the entries of a part over, if it is of this database; how many of its lines are damaged.
fn take_from(part: &Path, identity: Option<&str>, mut take: impl FnMut(Entry)) -> Result<u64, LedgerError> {
    let mut entries = Vec::new();
    let reading = read(part, |entry| {
        entries.push(entry);
        Ok(())
    });
    let reading = match reading {
        Ok(reading) => reading,
        // Another process removed it because of its age.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(LedgerError::Unreadable(part.to_owned(), error)),
    };
    if reading.database.is_some() && reading.database.as_deref() != identity {
        return Err(LedgerError::OtherDatabase(part.to_owned()));
    }
    entries.into_iter().for_each(&mut take);
    Ok(reading.damaged)
}

/// Those of these entries that the database does not have, in their order.
async fn lost(context: &Arc<Context>, entries: Vec<Entry>) -> Result<Vec<Entry>, LedgerError> {
    let mut numbers: HashMap<Option<OrganizationId>, Vec<i64>> = HashMap::new();
    for entry in &entries {
        numbers.entry(entry.organization_id).or_default().push(entry.seq);
    }
    let mut there = HashSet::new();
    for (trail, numbers) in numbers {
        let found = context
            .store
            .read(move |reads| Box::pin(async move { reads.hashes_of_events(trail, &numbers).await }))
            .await?;
        there.extend(found.into_iter().map(|(seq, hash)| (trail, seq, hash)));
    }
    let is_lost = |entry: &Entry| !there.contains(&(entry.organization_id, entry.seq, entry.hash.to_vec()));
    Ok(entries.into_iter().filter(is_lost).collect())
}

/// What became of a change to be made again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Made,
    Needless,
    /// It would leave the organisation without an owner.
    ByHand,
}

/// What can be given back again: the state, the trail, and whose state it is.
type Key = (State, Option<OrganizationId>, String);

fn key(state: State, entry: &Entry) -> Key {
    (state, entry.organization_id, entry.target_id.clone())
}

/// A replay under way.
struct Replay {
    context: Arc<Context>,
    done: Repeated,
    /// When the last replay was that the database has. What is a little older was repeated or named by it, almost always.
    settled: Option<Timestamp>,
    /// Entries that the database did not have, and that are newer than that.
    newer: u64,
    /// What can be given back again is repeated at the end, unless it was.
    last: BTreeMap<Key, Entry>,
    /// The last entries that give back.
    given_back: BTreeMap<Key, (Timestamp, i64)>,
}

impl Replay {
    async fn run(
        mut self,
        folder: &Folder,
        identity: Option<&str>,
        waiting: Vec<Entry>,
    ) -> Result<Option<Repeated>, LedgerError> {
        let parts = parts(folder)?;
        let mut replays = Vec::new();
        for part in &parts {
            take_from(part, identity, |entry| {
                if entry.action == REPLAY {
                    replays.push(entry);
                }
            })?;
        }
        let of_others = lost(&self.context, replays.clone()).await?;
        self.settled = replays.iter().filter(|replay| !of_others.contains(replay)).map(|replay| replay.at).max();
        let from = self.settled.map(|settled| settled - MARGIN);
        for part in &parts {
            let mut entries = Vec::new();
            self.done.damaged += take_from(part, identity, |entry| {
                if from.is_none_or(|from| entry.at > from) {
                    entries.push(entry);
                }
            })?;
            self.compare(&entries).await?;
        }
        self.compare(&waiting).await?;
        for ((state, ..), entry) in std::mem::take(&mut self.last) {
            let is_given_back =
                self.given_back.get(&key(state, &entry)).is_some_and(|back| *back > (entry.at, entry.seq));
            if is_given_back || self.was_given_back(state, &entry).await? {
                self.done.needless += 1;
            } else {
                self.take_away(state, &entry).await?;
            }
        }
        if self.done.damaged > 0 {
            tracing::error!(
                lines = self.done.damaged,
                "lines of the ledger of revocations are damaged and were left out"
            );
        }
        if self.newer == 0 && self.done.tokens == 0 && self.done.others == 0 {
            return Ok(None);
        }
        self.say().await?;
        Ok(Some(self.done))
    }

    /// Repeats those of these entries that the database does not have. What gives back counts where it has it, too.
    async fn compare(&mut self, entries: &[Entry]) -> Result<(), LedgerError> {
        for entries in entries.chunks(AT_ONCE) {
            for entry in entries {
                for state in State::ALL.into_iter().filter(|state| state.is_ended_by(entry)) {
                    let back = self.given_back.entry(key(state, entry)).or_insert((entry.at, entry.seq));
                    *back = (*back).max((entry.at, entry.seq));
                }
            }
            for entry in lost(&self.context, entries.to_vec()).await? {
                self.done.lost += 1;
                self.newer += u64::from(self.is_newer(&entry));
                self.take(entry).await?;
            }
        }
        Ok(())
    }

    /// Whether the database has heard since that this was given back: by another node, or by somebody after an earlier replay.
    async fn was_given_back(&self, state: State, entry: &Entry) -> Result<bool, LedgerError> {
        const PAGE: u32 = 100;
        for action in state.ends() {
            let mut after = None;
            loop {
                let filter = AuditFilter {
                    action: Some((*action).to_owned()),
                    target_id: Some(entry.target_id.clone()),
                    from: Some(entry.at),
                    direction: Direction::Descending,
                    after,
                    ..AuditFilter::chain(entry.organization_id, 0, PAGE)
                };
                let read =
                    self.context.store.read(move |reads| Box::pin(async move { reads.list_audit(&filter).await }));
                let found = read.await?;
                if found.iter().filter_map(kinds::entry).any(|found| state.is_ended_by(&found)) {
                    return Ok(true);
                }
                match found.last() {
                    Some(last) if found.len() == PAGE as usize => after = Some(last.seq),
                    Some(_) | None => break,
                }
            }
        }
        Ok(false)
    }

    /// Says what was done, in the log and in the deployment's trail.
    async fn say(&self) -> Result<(), LedgerError> {
        let done = self.done.clone();
        tracing::warn!(
            lost = done.lost,
            tokens = done.tokens,
            others = done.others,
            needless = done.needless,
            by_hand = done.by_hand.len(),
            "the database is an older copy, or lost its last changes: what the ledger of revocations says was repeated"
        );
        for change in &done.by_hand {
            tracing::warn!(change, "a change was lost that cannot be repeated from the ledger: do it again");
        }
        if done.unnamed > 0 {
            tracing::warn!(
                unnamed = done.unnamed,
                "more changes were lost that cannot be repeated: compare roles and policies"
            );
        }
        let ask = Ask::of(Principal::System, None, &origin());
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    let event = change
                        .event(REPLAY)
                        .with("lost", done.lost)
                        .with("revoked", done.tokens)
                        .with("others", done.others)
                        .with("by_hand", done.by_hand)
                        .with("unnamed", done.unnamed);
                    Ok::<_, LedgerError>(change.record(event).await?)
                })
            })
            .await
    }

    async fn take(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let Some(repeat) = kinds::repeat(&entry.action) else {
            // Of a newer program.
            self.by_hand(&entry);
            return Ok(());
        };
        match repeat {
            // What gives back is compared with the rest at the end.
            Repeat::Replay | Repeat::GivesBack => {}
            Repeat::Tokens | Repeat::RotationBack => self.revoke(&entry, entry.tokens.clone()).await?,
            Repeat::Grace => self.end_grace(&entry).await?,
            Repeat::Project => {
                self.revoke(&entry, entry.tokens.clone()).await?;
                self.empty_project(&entry).await?;
            }
            Repeat::Rotation => self.note(State::Rotated, entry),
            Repeat::Removal => {
                // Those that it names, whatever became of the person since.
                self.revoke(&entry, entry.tokens.clone()).await?;
                self.note(State::Member, entry);
            }
            Repeat::MemberOff => self.note(State::MemberOff, entry),
            Repeat::PersonOff => self.note(State::PersonOff, entry),
            Repeat::OrganizationOff => self.note(State::OrganizationOff, entry),
            Repeat::Actor => {
                let is_switch = |change: &String| change == DISABLED || change == ENABLED;
                if entry.changed.is_empty() || !entry.changed.iter().all(is_switch) {
                    self.by_hand(&entry);
                }
                if entry.changed.iter().any(|change| change == DISABLED) {
                    self.note(State::ActorOff, entry);
                }
            }
            Repeat::Sessions => self.end_sessions(&entry).await?,
            Repeat::SessionsAndReport => {
                self.end_sessions(&entry).await?;
                self.by_hand(&entry);
            }
            Repeat::Report => self.by_hand(&entry),
        }
        Ok(())
    }

    fn note(&mut self, state: State, entry: Entry) {
        let key = key(state, &entry);
        // What a crash kept out of the ledger was added to it later: the order is that of the events.
        if self.last.get(&key).is_none_or(|noted| (noted.at, noted.seq) < (entry.at, entry.seq)) {
            self.last.insert(key, entry);
        }
    }

    fn is_newer(&self, entry: &Entry) -> bool {
        self.settled.is_none_or(|settled| entry.at > settled)
    }

    fn by_hand(&mut self, entry: &Entry) {
        if !self.is_newer(entry) {
            return;
        }
        if self.done.by_hand.len() < MOST_NAMED {
            let trail = entry.organization_id.map_or_else(|| "the deployment".to_owned(), |id| id.to_string());
            self.done.by_hand.push(format!("{} on {} in {trail}", entry.action, entry.target_id));
        } else {
            self.done.unnamed += 1;
        }
    }

    /// What a change is asked for with; nothing where the database has no such organisation.
    async fn ask(&mut self, entry: &Entry) -> Result<Option<Ask>, LedgerError> {
        if let Some(organization) = entry.organization_id {
            let found = self.context.store.read(move |reads| Box::pin(reads.organization(organization))).await?;
            if found.is_none() {
                self.done.needless += 1;
                return Ok(None);
            }
        }
        Ok(Some(Ask::of(Principal::System, entry.organization_id, &origin())))
    }

    fn count(&mut self, changed: bool) {
        if changed {
            self.done.others += 1;
        } else {
            self.done.needless += 1;
        }
    }

    async fn revoke(&mut self, entry: &Entry, ids: Vec<TokenId>) -> Result<(), LedgerError> {
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        for ids in ids.chunks(AT_ONCE) {
            let (ids, why, ask) = (ids.to_vec(), because(entry), ask.clone());
            let work = self.context.change(ask, move |change| {
                Box::pin(async move {
                    change.touching().touch_tokens(organization, Some(ids.clone()));
                    let revocation = revocation(change, RevokeReason::Requested);
                    let revoked = change.tx.revoke_tokens(organization, &ids, &revocation).await?;
                    record(change, revoked, why).await
                })
            });
            let revoked = work.await?;
            self.done.tokens += revoked;
            self.done.needless += u64::from(revoked == 0);
        }
        Ok(())
    }

    /// Revokes every key of a person in the organisation, those that the entry does not name as well.
    async fn revoke_keys(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let Ok(user) = UserId::parse(&entry.target_id) else { return Ok(()) };
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask, move |change| {
            Box::pin(async move {
                change.touch(Touched::Organization(organization));
                let revocation = revocation(change, RevokeReason::OwnerRemoved);
                let owner = TokenOwner::Person(user);
                let revoked = change.tx.revoke_tokens_of_owner(organization, owner, &revocation).await?;
                record(change, revoked, why).await
            })
        });
        self.done.tokens += work.await?;
        Ok(())
    }

    async fn empty_project(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let most = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let Ok(project) = ProjectId::parse(&entry.target_id) else { return Ok(()) };
        let Some(organization) = entry.organization_id else { return Ok(()) };
        if self.context.store.read(move |reads| Box::pin(reads.project(organization, project))).await?.is_none() {
            return Ok(());
        }
        loop {
            let found = self.context.store.read(move |reads| Box::pin(reads.tokens_of_project(project, most))).await?;
            // In the order of their ids, which begin with when they were made: those behind were made since, and are not meant.
            let meant: Vec<TokenId> = found.into_iter().filter(|token| token.made_at() <= entry.at).collect();
            if meant.is_empty() {
                break;
            }
            self.revoke(entry, meant).await?;
        }
        self.by_hand(entry);
        Ok(())
    }

    async fn end_grace(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let (Ok(token), Some(end)) = (TokenId::parse(&entry.target_id), entry.until) else { return Ok(()) };
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask, move |change| {
            Box::pin(async move {
                change.touch(Touched::Token(token));
                let ended = change.tx.end_grace_by(organization, token, end).await?.is_some();
                if ended {
                    let event = change.event("token.grace_shortened").on("token", token);
                    let event = event.with("grace_period_ends_at", end.rfc3339_seconds());
                    change.record(event.with("repeats", why)).await?;
                }
                Ok::<_, LedgerError>(ended)
            })
        });
        let ended = work.await?;
        self.count(ended);
        Ok(())
    }

    async fn end_sessions(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let Ok(user) = UserId::parse(&entry.target_id) else {
            self.by_hand(entry);
            return Ok(());
        };
        let Some(ask) = self.ask(entry).await? else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask.holding(user), move |change| {
            Box::pin(async move {
                let ended = change.tx.delete_sessions_of_user(user, None).await?;
                if ended > 0 {
                    let event = change.event("session.delete").on("user", user).with("sessions_ended", ended);
                    change.record(event.with("repeats", why)).await?;
                }
                Ok::<_, LedgerError>(ended > 0)
            })
        });
        let ended = work.await?;
        self.count(ended);
        Ok(())
    }

    /// Repeats a change that nothing has given back.
    async fn take_away(&mut self, state: State, entry: &Entry) -> Result<(), LedgerError> {
        if state == State::Rotated {
            return self.revoke(entry, entry.tokens.clone()).await;
        }
        let Some(ask) = self.ask(entry).await? else { return Ok(()) };
        if state == State::Member {
            self.revoke_keys(entry).await?;
        }
        let why = because(entry);
        let outcome = match state {
            State::OrganizationOff => match entry.target_id.parse() {
                Ok(organization) => {
                    let work = self.context.change(ask, move |change| {
                        Box::pin(async move { organization_off(change, organization, why).await })
                    });
                    work.await?
                }
                Err(_) => Outcome::Needless,
            },
            State::ActorOff => match (entry.organization_id, ActorId::parse(&entry.target_id)) {
                (Some(organization), Ok(actor)) => {
                    let work = self.context.change(ask, move |change| {
                        Box::pin(async move { actor_off(change, organization, actor, why).await })
                    });
                    work.await?
                }
                (None, _) | (_, Err(_)) => Outcome::Needless,
            },
            State::PersonOff | State::Member | State::MemberOff | State::Rotated => {
                let Ok(user) = UserId::parse(&entry.target_id) else { return Ok(()) };
                let organization = entry.organization_id;
                let work = self.context.change(ask.holding(user), move |change| {
                    Box::pin(async move {
                        match (state, organization) {
                            (State::PersonOff, _) => person_off(change, user, why).await,
                            (State::MemberOff, Some(organization)) => member_off(change, organization, user, why).await,
                            (State::Member, Some(organization)) => remove(change, organization, user, why).await,
                            (State::MemberOff | State::Member, None)
                            | (State::OrganizationOff | State::ActorOff | State::Rotated, _) => Ok(Outcome::Needless),
                        }
                    })
                });
                work.await?
            }
        };
        match outcome {
            Outcome::Made => self.count(true),
            Outcome::Needless => self.count(false),
            Outcome::ByHand => self.by_hand(entry),
        }
        Ok(())
    }
}

/// The origin of what a replay does.
fn origin() -> Origin {
    Origin { request_id: "ledger".to_owned(), ..Origin::internal() }
}

/// The event that is repeated, as events say it: what it was, its number, and the trail is the same.
fn because(entry: &Entry) -> String {
    format!("{} {}", entry.action, entry.seq)
}

fn revocation(change: &Change<'_>, reason: RevokeReason) -> Revocation {
    Revocation { at: change.now, reason, by: change.by() }
}

/// Records what was revoked; how many.
async fn record(change: &mut Change<'_>, revoked: Vec<TokenId>, why: String) -> Result<u64, LedgerError> {
    let event = match revoked.as_slice() {
        [] => return Ok(0),
        [token] => change.event("token.revoke").on("token", token),
        tokens => {
            let named: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            change.event("token.bulk_revoke").with("count", named.len()).with("tokens", named)
        }
    };
    change.record(event.with("repeats", why)).await?;
    Ok(revoked.len() as u64)
}

async fn organization_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let found = change.tx.organization(organization).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_organization_disabled(organization, Some(change.now), change.now).await?;
    let event = change.event("organization.disable").on("organization", organization);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn actor_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    actor: ActorId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let Some((found, project)) = change.tx.actor_of_organization(organization, actor).await? else {
        return Ok(Outcome::Needless);
    };
    if found.disabled_at.is_some() {
        return Ok(Outcome::Needless);
    }
    let edit = ActorEdit { disabled_at: Edit::Set(change.now), ..ActorEdit::default() };
    change.tx.update_actor(project.id, actor, &edit, change.now).await?;
    let event = change.event("actor.update").on("actor", actor).with("changed", vec!["disabled_at"]);
    change.record(event.with("status", ActorStatus::Disabled.as_str()).with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn person_off(change: &mut Change<'_>, user: UserId, why: String) -> Result<Outcome, LedgerError> {
    let found = change.tx.user(user).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_user_disabled(user, Some(change.now), change.now).await?;
    crate::operator::fence(change, user).await?;
    let ended = change.tx.delete_sessions_of_user(user, None).await?;
    let event = change.event("user.disable").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn member_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: UserId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let found = change.tx.membership_standing(organization, user).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_membership_disabled(organization, user, Some(change.now)).await?;
    let ended = change.tx.delete_sessions_of_member(organization, user, None).await?;
    let event = change.event("member.disable").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn remove(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: UserId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let Some(found) = change.tx.membership_standing(organization, user).await? else {
        return Ok(Outcome::Needless);
    };
    // A lost change may have made somebody else an owner.
    if found.role == RoleRef::BuiltIn(BuiltInRole::Owner) && change.tx.count_owners(organization).await? <= 1 {
        return Ok(Outcome::ByHand);
    }
    let ended = change.tx.delete_sessions_of_member(organization, user, None).await?;
    change.tx.delete_membership(organization, user).await?;
    let event = change.event("member.remove").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}
