//! Reading a token from the store: find candidates by the look-up hint, prove one of them, turn it into an entry.
//!
//! Where a deployment looks imported tokens up, a secret that no row of ours has is looked for a second time, by all that the
//! hash of another system may be found by. A deployment without imports never gets there.

use std::sync::Arc;

use secret_hash::{ForeignHash, StoredHash, Tag, TagCheck, VerifyTag, foreign_hints, lookup_hint};
use storage::model::LogMark;
use token_domain::decide::Credential;
use token_domain::record::Candidate;
use token_domain::scope::Grants;
use token_domain::{ScopeCatalogue, ScopeSet, Timestamp};
use token_format::PlainToken;

use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::fence::Stamp;
use crate::legacy::{ForeignKey, MOST_FOREIGN, is_foreign};
use crate::memory::{Binding, Entry, Pending, Shared, Shares};
use crate::rights::{self, Stored};
use crate::shared::{LIFETIME, Row, SharedAnswer, SharedEntry, is_out_of_date};
use crate::slow::Work;
use crate::tokens::upgrade;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The result of a read.
#[derive(Clone, Debug)]
pub(super) enum Fetched {
    /// There is such a token.
    Found(Arc<Entry>),
    /// There is none, as of this stamp.
    Unknown(Stamp),
}

impl Fetched {
    pub(super) fn into_entry(self) -> Option<Arc<Entry>> {
        match self {
            Self::Found(entry) => Some(entry),
            Self::Unknown(_) => None,
        }
    }
}

/// A presented secret: a text in our format, or a key of another system with what it goes by.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The token, or the alias of the key.
    pub(super) token: &'a PlainToken,
    foreign: Option<&'a ForeignKey>,
}

impl<'a> Asked<'a> {
    pub(super) const fn token(token: &'a PlainToken) -> Self {
        Self { token, foreign: None }
    }

    pub(super) const fn foreign(key: &'a ForeignKey) -> Self {
        Self { token: key.alias(), foreign: Some(key) }
    }

    /// What another system hashed.
    fn text(&self) -> &'a str {
        self.foreign.map_or_else(|| self.token.expose(), ForeignKey::secret)
    }
}

/// How a candidate was proven.
enum Proof {
    /// It is not this token.
    No,
    /// By its tag, under the current key.
    Tag,
    /// By an older key or the slow hash: its tag must be made again.
    NeedsTag,
}

pub(super) struct Fetch {
    context: Arc<Context>,
    shares: Shares,
    /// One search among slow hashes of other systems at a time: unknown keys, which cost the most, take one core at the most.
    searches: Semaphore,
}

impl Fetch {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, shares: Shares::default(), searches: Semaphore::new(1) }
    }

    pub(super) async fn fetch(&self, asked: Asked<'_>, digest: &Tag, stamp: Stamp) -> Result<Fetched, Failure> {
        let ours = self.ours(asked.token, digest, stamp).await?;
        if ours.is_some() || !self.context.policy.legacy.is_on() {
            return Ok(ours.unwrap_or(Fetched::Unknown(stamp)));
        }
        let imported = Box::pin(self.imported(asked, digest, stamp)).await?;
        if !matches!(imported, Fetched::Unknown(_)) {
            return Ok(imported);
        }
        // Its first use elsewhere may have rewritten the hash between the two reads.
        Ok(self.ours(asked.token, digest, stamp).await?.unwrap_or(Fetched::Unknown(stamp)))
    }

    /// What another node passed on about a token, if this node may use it. `stamp` was taken before.
    pub(super) async fn passed_on(&self, digest: &Tag, stamp: Stamp) -> Option<Arc<Entry>> {
        let cache = self.context.shared.as_ref().filter(|_| self.context.lease.is_current())?;
        let counters = &self.context.shared_counters;
        let sealed = match cache.get(self.context.keyring.shared_name(digest)).await {
            SharedAnswer::Kept(sealed) => sealed,
            SharedAnswer::Nothing => {
                counters.count_nothing();
                return None;
            }
            SharedAnswer::Unknown => {
                counters.count_unknown();
                return None;
            }
        };
        let entry = self.admit(digest, &sealed, stamp);
        if entry.is_some() {
            counters.count_used();
        } else {
            counters.count_refused();
        }
        entry
    }

    /// The facts of a sealed entry, unless they may have changed.
    fn admit(&self, digest: &Tag, sealed: &[u8], stamp: Stamp) -> Option<Arc<Entry>> {
        let context = &self.context;
        let SharedEntry { row, mark, read_at } = SharedEntry::open(&context.keyring, digest, sealed)?;
        let (token, organization) = (row.token_id, row.organization_id);
        // In this order: what this node changes after the first look raises a fence behind the stamp.
        let may_be_used = context.may_remember()
            && context.fences.holds_since_asked(token, organization)
            && context.lease.holds(&mark, read_at, token, organization);
        if !may_be_used || is_out_of_date(read_at, context.wall()) {
            return None;
        }
        let stored = Stored {
            token_id: token,
            organization_id: organization,
            organization_disabled_at: row.organization_disabled_at,
            facts: row.facts,
            scopes: &row.scopes,
            owner: &row.owner,
            idle_after: row.idle_after,
            last_used_at: row.last_used_at,
        };
        let pending = Pending { first_use: row.first_use_pending, reuse: row.reuse_pending };
        let binding = Binding { project_id: row.project_id, networks: row.networks };
        // A catalogue that lacks one of its scopes: the database is asked, and says so.
        let entry = self.entry(digest, stored, binding, pending, stamp).ok()?;
        // Others may have used it since.
        (!entry.is_idle(context.now())).then(|| Arc::new(entry))
    }

    /// Passes on what was read, if it was read with a lease from beginning to end.
    fn pass_on(&self, digest: &Tag, candidate: &Candidate, mark: Option<(LogMark, Timestamp)>) {
        let context = &self.context;
        let (Some(cache), Some((mark, read_at))) = (&context.shared, mark) else { return };
        let Some(row) = Row::of(candidate).filter(|_| context.lease.mark().is_some_and(|now| now.log == mark.log))
        else {
            return;
        };
        let sealed = random(context.entropy.as_ref()).ok();
        let entry = SharedEntry { row, mark, read_at };
        if let Some(sealed) = sealed.and_then(|nonce| entry.seal(&context.keyring, digest, nonce)) {
            cache.put(context.keyring.shared_name(digest), sealed, LIFETIME);
        }
    }

    /// Looks among the hashes of this service.
    async fn ours(&self, token: &PlainToken, digest: &Tag, stamp: Stamp) -> Result<Option<Fetched>, Failure> {
        // Before the read.
        let mark = self.context.shared.as_ref().and_then(|_| self.context.lease.mark());
        let mark = mark.map(|mark| (mark, self.context.wall()));
        let candidates = self.context.store.candidates(lookup_hint(token).0).await?;
        for candidate in candidates {
            if is_foreign(&candidate.secret) {
                continue;
            }
            let proof = self.prove(token, digest, &candidate).await?;
            if matches!(proof, Proof::No) {
                continue;
            }
            self.improve(token, &candidate, &proof);
            self.pass_on(digest, &candidate, mark);
            return Ok(Some(Fetched::Found(Arc::new(self.entry_of(digest, &candidate, stamp)?))));
        }
        Ok(None)
    }

    /// Looks among the hashes of other systems. The oldest row that the secret proves counts, and is brought to our scheme.
    async fn imported(&self, asked: Asked<'_>, digest: &Tag, stamp: Stamp) -> Result<Fetched, Failure> {
        let hmac = self.context.policy.legacy.hmac_key.as_ref();
        let text = asked.text();
        let hints = foreign_hints(text.as_bytes(), hmac);
        // Apart: however many slow hashes share a prefix, a fast one is found by its digest.
        let mut fast = None;
        for (candidate, hash) in self.foreign(hints.fast).await? {
            if hash.verify(text.as_bytes(), hmac).map_err(|error| inconsistent(&candidate, &error))? {
                fast = Some(candidate);
                break;
            }
        }
        // A slow one that is older counts before it, so that nobody takes over a secret by a faster hash of it.
        let slow = self.foreign(hints.slow).await?;
        let slow: Vec<_> = slow
            .into_iter()
            .filter(|(candidate, _)| fast.as_ref().is_none_or(|fast| candidate.token.id < fast.token.id))
            .collect();
        if slow.is_empty() {
            return match fast {
                Some(candidate) => self.arrived(asked, digest, &candidate, stamp),
                None => Ok(Fetched::Unknown(stamp)),
            };
        }
        let _search = self.searches.try_acquire().map_err(|_| Failure::Busy)?;
        for (candidate, hash) in slow {
            let secret = Zeroizing::new(text.as_bytes().to_vec());
            let verified = self.context.lane.run(Work::Validation, move || hash.verify(&secret, None)).await?;
            if verified.map_err(|error| inconsistent(&candidate, &error))? {
                return self.arrived(asked, digest, &candidate, stamp);
            }
        }
        match fast {
            Some(candidate) => self.arrived(asked, digest, &candidate, stamp),
            None => Ok(Fetched::Unknown(stamp)),
        }
    }

    /// Tokens that were imported under one of these hints, the oldest first.
    async fn foreign(&self, hints: Vec<i64>) -> Result<Vec<(Candidate, ForeignHash)>, Failure> {
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.candidates_among(&hints, MOST_FOREIGN).await }));
        let hash = |candidate: Candidate| {
            ForeignHash::from_stored(&candidate.secret.secret_hash).map(|hash| (candidate, hash))
        };
        Ok(read.await?.into_iter().filter_map(hash).collect())
    }

    /// An imported token was presented: its hash is replaced by ours, in the background.
    fn arrived(&self, asked: Asked<'_>, digest: &Tag, candidate: &Candidate, stamp: Stamp) -> Result<Fetched, Failure> {
        let (id, secret) = (candidate.token.id, candidate.secret.clone());
        // An alias is derived, so its first characters are no hint of the key.
        let hint = asked.foreign.is_none().then(|| asked.token.hint());
        self.context.units.spawn(upgrade(Arc::clone(&self.context), asked.token.clone(), id, secret, false, hint));
        Ok(Fetched::Found(Arc::new(self.entry_of(digest, candidate, stamp)?)))
    }

    /// The tag where it can prove something, the slow hash where it cannot.
    async fn prove(&self, token: &PlainToken, digest: &Tag, candidate: &Candidate) -> Result<Proof, Failure> {
        let secret = &candidate.secret;
        let tag = secret.verify_tag.as_deref().and_then(|bytes| VerifyTag::from_bytes(bytes).ok());
        match tag.map(|tag| self.context.keyring.check(token, digest, &tag)) {
            Some(TagCheck::Match) => return Ok(Proof::Tag),
            Some(TagCheck::MatchPreviousKey) => return Ok(Proof::NeedsTag),
            Some(TagCheck::Mismatch) => return Ok(Proof::No),
            Some(TagCheck::UnknownKey) | None => {}
        }
        let stored = StoredHash::parse(&secret.secret_hash).map_err(|error| inconsistent(candidate, &error))?;
        let verified = if stored.is_slow() {
            let token = token.clone();
            self.context.lane.run(Work::Validation, move || secret_hash::verify(&token, &stored)).await?
        } else {
            secret_hash::verify(token, &stored)
        };
        let is_this = verified.map_err(|error| inconsistent(candidate, &error))?;
        Ok(if is_this { Proof::NeedsTag } else { Proof::No })
    }

    /// Brings the row to the current key and the configured scheme, in the background and only while the lane is
    /// idle: a validation never waits for it, the next read tries again.
    fn improve(&self, token: &PlainToken, candidate: &Candidate, proof: &Proof) {
        let meets = StoredHash::parse(&candidate.secret.secret_hash)
            .is_ok_and(|stored| stored.meets(&self.context.policy.scheme));
        if meets && matches!(proof, Proof::Tag) {
            return;
        }
        let work = upgrade(
            Arc::clone(&self.context),
            token.clone(),
            candidate.token.id,
            candidate.secret.clone(),
            meets,
            None,
        );
        self.context.units.spawn(work);
    }

    fn entry_of(&self, digest: &Tag, candidate: &Candidate, stamp: Stamp) -> Result<Entry, Failure> {
        let token = &candidate.token;
        let pending = Pending { first_use: candidate.first_use_pending, reuse: token.reuse_detected_at.is_none() };
        let binding = Binding { project_id: token.project_id, networks: token.details.allowed_networks.clone() };
        self.entry(digest, Stored::from(candidate), binding, pending, stamp)
    }

    fn entry(
        &self,
        digest: &Tag,
        stored: Stored<'_>,
        binding: Binding,
        pending: Pending,
        stamp: Stamp,
    ) -> Result<Entry, Failure> {
        let grants = rights::grants(&self.context, stored)?;
        let credential = rights::credential(&self.context, stored, &grants)?;
        let shared = self.shared(&credential, &grants);
        Ok(Entry::new(digest, credential, binding, shared, stamp, pending))
    }

    /// The organisation, the scopes and `{"valid":true,"org_id":"org_…","scopes":[…]}`: one copy for all that have them.
    fn shared(&self, credential: &Credential, grants: &Grants) -> Arc<Shared> {
        let names = shown(&self.context.catalogue, credential.effective(), grants);
        self.shares.copy_of(Shared {
            organization_id: credential.organization_id,
            organization_disabled_at: credential.organization_disabled_at,
            granted: credential.granted,
            answer: answer_bytes(credential, &names).into(),
            scopes: names.join(" ").into_boxed_str(),
        })
    }
}

/// Scopes are names of the catalogue's grammar and ids are base32: nothing in here needs escaping.
fn answer_bytes(credential: &Credential, names: &[&str]) -> Vec<u8> {
    let mut text = format!("{{\"valid\":true,\"org_id\":\"{}\",\"scopes\":[", credential.organization_id);
    for (index, name) in names.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text.push_str(comma);
        text.push('"');
        text.push_str(name);
        text.push('"');
    }
    text.push_str("]}");
    text.into_bytes()
}

/// The scopes as granted while the owner's role covers them all; otherwise what is left of them.
pub(super) fn shown<'c>(catalogue: &'c ScopeCatalogue, effective: ScopeSet, grants: &Grants) -> Vec<&'c str> {
    if effective.covers(&grants.effective()) { grants.names(catalogue) } else { catalogue.names(effective) }
}

fn inconsistent(candidate: &Candidate, error: &dyn std::fmt::Display) -> Failure {
    Failure::Inconsistent(format!("token {} cannot be read: {error}", candidate.token.id))
}
