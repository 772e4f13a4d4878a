//! Reading a token from the store: find candidates by the look-up hint, prove one of them, turn it into an entry.

use std::sync::Arc;

use secret_hash::{StoredHash, Tag, TagCheck, VerifyTag, lookup_hint};
use token_domain::decide::Credential;
use token_domain::record::Candidate;
use token_domain::scope::Grants;
use token_domain::{ScopeCatalogue, ScopeSet};
use token_format::PlainToken;

use crate::context::Context;
use crate::error::Failure;
use crate::fence::Stamp;
use crate::memory::{Binding, Entry, Pending, Shared, Shares};
use crate::rights;
use crate::slow::Work;
use crate::tokens::upgrade;

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
}

impl Fetch {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self { context, shares: Shares::default() }
    }

    pub(super) async fn fetch(&self, token: &PlainToken, digest: &Tag, stamp: Stamp) -> Result<Fetched, Failure> {
        let candidates = self.context.store.candidates(lookup_hint(token).0).await?;
        for candidate in candidates {
            let proof = self.prove(token, digest, &candidate).await?;
            if matches!(proof, Proof::No) {
                continue;
            }
            self.improve(token, &candidate, &proof);
            return Ok(Fetched::Found(Arc::new(self.entry(digest, &candidate, stamp)?)));
        }
        Ok(Fetched::Unknown(stamp))
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
        let work =
            upgrade(Arc::clone(&self.context), token.clone(), candidate.token.id, candidate.secret.clone(), meets);
        self.context.units.spawn(work);
    }

    fn entry(&self, digest: &Tag, candidate: &Candidate, stamp: Stamp) -> Result<Entry, Failure> {
        let token = &candidate.token;
        let grants = rights::grants(&self.context, candidate)?;
        let credential = rights::credential(&self.context, candidate, &grants)?;
        let shared = self.shared(&credential, &grants);
        let pending = Pending { first_use: candidate.first_use_pending, reuse: token.reuse_detected_at.is_none() };
        let binding = Binding { project_id: token.project_id, networks: token.details.allowed_networks.clone() };
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
