//! A replay: all entries in their order, those that the database lacks repeated at once, and what can be given back at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit_trail::ledger::{Entry, Folder, began};
use storage::model::AuditFilter;
use token_domain::Timestamp;
use token_domain::access::Direction;
use token_domain::record::Principal;

use super::comparison::lost;
use super::parts::{MARGIN, parts, take_from};
use super::state::{Key, State, key};
use super::{LedgerError, Repeated};
use crate::change::Ask;
use crate::context::Context;
use crate::ledger::kinds::{self, DISABLED, ENABLED, REPLAY, Repeat};
use crate::origin::Origin;

/// How many entries are compared at once.
const AT_ONCE: usize = 500;
/// How many changes that are to be done by hand are named.
const MOST_NAMED: usize = 1_000;

/// Compares all of a ledger with the database, and repeats what is lost.
pub(super) async fn replay(
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

/// A replay under way.
pub(super) struct Replay {
    pub(super) context: Arc<Context>,
    pub(super) done: Repeated,
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
            // What was added to the ledger after that replay was not looked at by it, whatever its moment: when a disk took it
            // again, or from a database that was about to be replaced.
            let is_later = began(part) > self.settled;
            self.done.damaged += take_from(part, identity, |entry| {
                if is_later || from.is_none_or(|from| entry.at > from) {
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
            return Ok((self.done.damaged > 0).then_some(self.done));
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

    pub(super) fn by_hand(&mut self, entry: &Entry) {
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
    pub(super) async fn ask(&mut self, entry: &Entry) -> Result<Option<Ask>, LedgerError> {
        if let Some(organization) = entry.organization_id {
            let found = self.context.store.read(move |reads| Box::pin(reads.organization(organization))).await?;
            if found.is_none() {
                self.done.needless += 1;
                return Ok(None);
            }
        }
        Ok(Some(Ask::of(Principal::System, entry.organization_id, &origin())))
    }

    pub(super) fn count(&mut self, changed: bool) {
        if changed {
            self.done.others += 1;
        } else {
            self.done.needless += 1;
        }
    }
}

/// The origin of what a replay does.
fn origin() -> Origin {
    Origin { request_id: "ledger".to_owned(), ..Origin::internal() }
}
