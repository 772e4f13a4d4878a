//! Import of tokens that another system made, by the hashes it kept of them.
//!
//! Each row is judged by itself: a bad one gets a result that names its field, and the others go on. A hash makes one token in
//! the whole deployment, which makes an interrupted import safe to run again: rows done before are reported as such. Only
//! tokens of the organisation can be imported. A key of a person would let somebody who knows a secret act in that person's
//! name in every trail.

mod fields;
mod preset;
mod row;

use std::collections::HashMap;
use std::sync::Arc;

use secret_hash::lookup_hint;
use serde_json::Value;
use storage::model::{ImportedToken, Touched};
use storage::{Constraint, StoreError};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::record::{NewToken, Principal, StoredSecret, Token, TokenOwner};
use token_domain::token::{Kind, Lifetime, RevokeReason, Revoked, TokenFacts};

pub use fields::Fault;
pub use preset::Preset;

use row::{Reading, Row};

use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use crate::rights::Refused;
use crate::slow::Work;
use crate::tokens::{TokenError, check_static, govern_new, owned_names, within};

/// The most rows of one request.
pub const MOST_ROWS: usize = 1_000;
/// Rows of one unit of work: on PostgreSQL, others of the organisation wait for about as long as one takes.
const AT_ONCE: usize = 500;
/// The most unused tokens with a slow hash under one prefix, or without a prefix: a presented key is compared with each of them.
pub const MOST_ALIKE: i64 = 16;
/// The most slow hashes that a dry run tries a known key on.
const MOST_TRIED: usize = 64;

/// Whether to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only say what would happen.
    DryRun,
    /// Do it.
    Carry,
}

/// Rows to import.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The rows, as JSON objects.
    pub rows: Vec<Value>,
    /// The system they come from.
    pub preset: Preset,
    /// The scopes of every row, in place of its own.
    pub scopes: Option<Vec<String>>,
    /// Whether to do it.
    pub mode: Mode,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowResult {
    /// It made a token.
    Created(TokenId),
    /// It would make one.
    Ready,
    /// An import before made this token of it.
    Existing(TokenId),
    /// It was not imported.
    Refused(Fault),
}

/// Why nothing was imported, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// This deployment does not look imported hashes up.
    #[error("imported tokens would not be found: set tokens.legacy_lookup or tokens.legacy_shapes first")]
    NotLookedUp,
    /// The credential is bound to a project, and imported tokens are of the whole organisation.
    #[error("the credential is confined")]
    Confined,
    /// Another import of the same hashes runs.
    #[error("another import of the same hashes is under way")]
    Overtaken,
    /// Not by now: the caller lost the right.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::ImportedHash) => Self::Overtaken,
            other => Self::Failed(Failure::Store(other)),
        }
    }
}

/// Refuses a credential that reaches only a part of the organisation.
fn check_place(caller: &Caller) -> Result<(), ImportError> {
    if caller.reaches_whole_organization() { Ok(()) } else { Err(ImportError::Confined) }
}

/// Who imports.
#[derive(Clone, Copy)]
enum By {
    Caller(Caller),
    /// A command on a machine that reaches the database.
    Operator(OrganizationId),
}

/// Imports tokens.
pub struct Imports {
    context: Arc<Context>,
}

/// A row that is about to become a token, with its place in the request.
struct Ready {
    index: usize,
    row: Row,
    identity: [u8; 32],
}

impl Imports {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Imports rows into the caller's organisation; one result a row, in their order.
    ///
    /// # Errors
    /// The deployment does not look imported tokens up; the caller lost the right; the store's. Units of work that were done
    /// before stay done: the same rows sent again are reported as existing.
    pub async fn import(&self, caller: &Caller, batch: Batch, origin: &Origin) -> Result<Vec<RowResult>, ImportError> {
        check_place(caller)?;
        self.run(By::Caller(*caller), batch, origin).await
    }

    /// The same by an operator, into any organisation.
    ///
    /// # Errors
    /// As [`Imports::import`].
    pub async fn import_into(
        &self,
        organization: OrganizationId,
        batch: Batch,
        origin: &Origin,
    ) -> Result<Vec<RowResult>, ImportError> {
        self.run(By::Operator(organization), batch, origin).await
    }

    /// The first of the rows whose hash was made from this key: shows before an import that the other system hashed what
    /// is believed, and not the key with a line break behind it. Of slow hashes a few are tried.
    ///
    /// # Errors
    /// The lane for slow hashes is full.
    pub async fn proves(&self, batch: &Batch, key: &str) -> Result<Option<usize>, Failure> {
        let legacy = &self.context.policy.legacy;
        let foreign = legacy.shapes.read(key);
        let secret = foreign.as_ref().map_or(key, |foreign| foreign.secret()).as_bytes().to_vec();
        let mut tried = 0;
        for (index, value) in batch.rows.iter().enumerate() {
            let Ok(row) = Row::read(value, &self.reading(batch)) else { continue };
            let is_of = if row.hash.is_slow() {
                tried += 1;
                if tried > MOST_TRIED {
                    continue;
                }
                let (hash, secret) = (row.hash, zeroize::Zeroizing::new(secret.clone()));
                self.context.lane.run(Work::Validation, move || hash.verify(&secret, None)).await?
            } else {
                row.hash.verify(&secret, legacy.hmac_key.as_ref())
            };
            if is_of.unwrap_or(false) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn reading<'r>(&'r self, batch: &'r Batch) -> Reading<'r> {
        let legacy = &self.context.policy.legacy;
        Reading {
            catalogue: &self.context.catalogue,
            shapes: &legacy.shapes,
            preset: batch.preset,
            scopes: batch.scopes.as_deref(),
            has_hmac_key: legacy.hmac_key.is_some(),
        }
    }

    async fn run(&self, by: By, batch: Batch, origin: &Origin) -> Result<Vec<RowResult>, ImportError> {
        if !self.context.policy.legacy.is_on() {
            return Err(ImportError::NotLookedUp);
        }
        let mut results: Vec<Option<RowResult>> = vec![None; batch.rows.len()];
        let mut ready = Vec::new();
        let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
        let reading = self.reading(&batch);
        for (index, value) in batch.rows.iter().enumerate() {
            match self.judged(value, by, &reading) {
                Ok(row) => {
                    let identity = row.hash.identity();
                    if let Some(first) = seen.get(&identity) {
                        let fault = Fault::new("hash", format_args!("is that of row {} as well", first + 1));
                        results[index] = Some(RowResult::Refused(fault));
                    } else {
                        seen.insert(identity, index);
                        ready.push(Ready { index, row, identity });
                    }
                }
                Err(fault) => results[index] = Some(RowResult::Refused(fault)),
            }
        }
        while !ready.is_empty() {
            let rest = ready.split_off(ready.len().min(AT_ONCE));
            let part = std::mem::replace(&mut ready, rest);
            for (index, result) in self.part(by, part, batch.mode, origin).await? {
                results[index] = Some(result);
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// What can be said about a row before anything is read.
    fn judged(&self, value: &Value, by: By, reading: &Reading<'_>) -> Result<Row, Fault> {
        let row = Row::read(value, reading)?;
        check_expiry(&row, self.context.now())?;
        if let By::Caller(caller) = by {
            // Each presented key of such a form is checked against all of them, whichever organisation's they are: one tenant
            // could hold up the others' keys.
            if row.hash.is_slow() {
                let problem = "is slow to check: such hashes are imported by the operator, with `nolapse-api import`";
                return Err(Fault::new("algorithm", problem));
            }
            within(&self.context.catalogue, row.grants.effective(), caller.effective)
                .map_err(|error| beyond(&error))?;
        }
        Ok(row)
    }

    /// One unit of work. A dry run does all of it and takes it back.
    async fn part(
        &self,
        by: By,
        part: Vec<Ready>,
        mode: Mode,
        origin: &Origin,
    ) -> Result<Vec<(usize, RowResult)>, ImportError> {
        let ask = match by {
            By::Caller(caller) => Ask::by(&caller, origin),
            By::Operator(organization) => Ask::of(Principal::System, Some(organization), origin),
        };
        let organization = match by {
            By::Caller(caller) => caller.organization_id,
            By::Operator(organization) => organization,
        };
        let done = self.context.change(ask.making(Kind::Organization), move |change| {
            Box::pin(async move {
                if matches!(by, By::Caller(_)) {
                    change.check_not_superseded()?;
                    change.check_present()?;
                    check_place(change.caller()?)?;
                }
                let results = import_part(change, organization, part).await?;
                if mode == Mode::DryRun {
                    return Err(Ended::Tried(results));
                }
                let created: Vec<String> = results
                    .iter()
                    .filter_map(|(_, result)| match result {
                        RowResult::Created(id) => Some(id.to_string()),
                        _ => None,
                    })
                    .collect();
                if !created.is_empty() {
                    let event = change.event("token.import").with("count", created.len()).with("tokens", created);
                    change.record(event).await?;
                }
                Ok(results)
            })
        });
        match done.await {
            Ok(results) => Ok(results),
            Err(Ended::Tried(results)) => {
                Ok(results.into_iter().map(|(index, result)| (index, tried(result))).collect())
            }
            Err(Ended::Failed(error)) => Err(error),
        }
    }
}

/// How a unit of work ended that changed nothing.
enum Ended {
    /// It was a dry run.
    Tried(Vec<(usize, RowResult)>),
    Failed(ImportError),
}

impl From<ImportError> for Ended {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Refused> for Ended {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}

/// A token that was taken back with the dry run would be made.
fn tried(result: RowResult) -> RowResult {
    match result {
        RowResult::Created(_) => RowResult::Ready,
        other => other,
    }
}

/// The rows of one unit that are not there yet become tokens.
async fn import_part(
    change: &mut Change<'_>,
    organization: OrganizationId,
    part: Vec<Ready>,
) -> Result<Vec<(usize, RowResult)>, ImportError> {
    let context = change.context();
    let identities: Vec<[u8; 32]> = part.iter().map(|ready| ready.identity).collect();
    let found = change.tx.imported(&identities).await?;
    let found: HashMap<[u8; 32], ImportedToken> = found.into_iter().map(|found| (found.identity, found)).collect();
    let mut room = match change.terms().token_cap.or(context.policy.token_cap) {
        None => None,
        Some(cap) => {
            let used = change.tx.live_token_count(organization, change.now).await?;
            Some((u32::try_from(used).unwrap_or(u32::MAX), cap))
        }
    };
    let mut alike: HashMap<i64, i64> = HashMap::new();
    let mut results = Vec::with_capacity(part.len());
    let mut is_touched = false;
    for Ready { index, row, identity } in part {
        let existing = found.get(&identity);
        let result = match existing {
            Some(existing) if existing.organization_id == organization => RowResult::Existing(existing.token_id),
            // Says nothing about whose it is. Two tokens of one secret would let the second organisation answer for the first.
            Some(_) => RowResult::Refused(Fault::new("hash", "is imported in this deployment already")),
            None => match one(change, organization, row, &mut room, &mut alike).await? {
                Ok(id) => {
                    change
                        .tx
                        .insert_imported(&ImportedToken { identity, organization_id: organization, token_id: id })
                        .await?;
                    RowResult::Created(id)
                }
                Err(fault) => RowResult::Refused(fault),
            },
        };
        if let RowResult::Created(id) = result
            && !is_touched
        {
            // One is enough: a node forgets all that it remembers as unknown.
            change.touch(Touched::Created(id));
            is_touched = true;
        }
        results.push((index, result));
    }
    Ok(results)
}

/// Makes the token of one row, or says why not.
async fn one(
    change: &mut Change<'_>,
    organization: OrganizationId,
    row: Row,
    room: &mut Option<(u32, u32)>,
    alike: &mut HashMap<i64, i64>,
) -> Result<Result<TokenId, Fault>, ImportError> {
    let (context, now) = (change.context(), change.now);
    // Once more, by what the caller may do now.
    if let Ok(caller) = change.caller()
        && let Err(error) = within(&context.catalogue, row.grants.effective(), caller.effective)
    {
        return Ok(Err(beyond(&error)));
    }
    if let Err(fault) = check_expiry(&row, now) {
        return Ok(Err(fault));
    }
    if let Some(plain) = &row.plain
        && change.tx.count_by_hint(lookup_hint(plain).0).await? > 0
    {
        return Ok(Err(Fault::new("hash", "is a token of this deployment already")));
    }
    if row.hash.is_slow() {
        let count = match alike.get(&row.lookup_hint) {
            Some(count) => *count,
            None => change.tx.count_by_hint(row.lookup_hint).await?,
        };
        if count >= MOST_ALIKE {
            return Ok(Err(Fault::new(
                "prefix",
                format_args!(
                    "must tell slow hashes apart: {MOST_ALIKE} tokens that were not used yet have the same one, or none"
                ),
            )));
        }
        alike.insert(row.lookup_hint, count + 1);
    }
    let mut facts = TokenFacts::new(now, row.expires_at);
    let mut revoked_by = None;
    if row.is_revoked {
        facts.revoked = Some(Revoked { at: now, reason: RevokeReason::Requested });
        revoked_by = Some(change.by());
    } else if let Some((used, cap)) = room {
        if used >= cap {
            return Ok(Err(Fault::new("row", format_args!("is beyond the organisation's token limit ({used}/{cap})"))));
        }
        *used += 1;
    }
    let lifetime = row.expires_at.map_or(Lifetime::Unlimited, Lifetime::Until);
    let id = context.id(now)?;
    let mut token = Token {
        scopes: owned_names(&context, &row.grants),
        details: row.details,
        revoked_by,
        ..Token::new(id, organization, TokenOwner::Organization, row.name, facts, change.by(), row.hint)
    };
    let judged = check_static(&context, change.terms(), token.owner)
        .and_then(|()| govern_new(&context, change.terms(), &mut token, &row.grants, lifetime));
    match judged {
        Ok(()) => token.facts.revoked = facts.revoked,
        Err(TokenError::Policy(breach)) => {
            return Ok(Err(Fault::new("row", format_args!("is against the organisation's policy: {breach}"))));
        }
        Err(TokenError::Failed(failure)) => return Err(failure.into()),
        Err(other) => return Ok(Err(Fault::new("row", other))),
    }
    let secret = StoredSecret { secret_hash: row.hash.stored(), lookup_hint: row.lookup_hint, verify_tag: None };
    change.tx.insert_token(&NewToken { token, secret }).await?;
    Ok(Ok(id))
}

fn check_expiry(row: &Row, now: Timestamp) -> Result<(), Fault> {
    match row.expires_at {
        Some(end) if end <= now => Err(Fault::new("expires_at", "must be in the future: the key has expired")),
        Some(_) | None => Ok(()),
    }
}

fn beyond(error: &TokenError) -> Fault {
    match error {
        TokenError::Excess { missing, .. } => {
            Fault::new("scopes", format_args!("must not go beyond the caller's own: {}", missing.join(", ")))
        }
        other => Fault::new("scopes", other),
    }
}
