//! Trying a policy out: which tokens it would hit, and how, without changing anything.

use std::fmt;

use token_domain::Timestamp;
use token_domain::id::{OrganizationId, kind};
use token_domain::policy::{Findings, KindRule};
use token_domain::record::Token;
use token_domain::token::Kind;

use super::{AskedRule, Policies, PolicyError, check_organization, check_unconfined, restored};
use crate::cursor::{Cursor, InvalidCursor};
use crate::error::Failure;
use crate::origin::Caller;

/// Tokens read at once.
const PAGE: u32 = 1_000;
/// The most tokens one call looks at, so that it ends within a request's deadline; the next goes on.
const MOST_EXAMINED: u32 = 20_000;

/// Where an examination goes on: within one kind, after a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyCursor {
    kind: Kind,
    after: Cursor<kind::Token>,
}

/// A policy to try out.
#[derive(Clone, Debug)]
pub struct PreviewRequest {
    /// The rules it would have.
    pub rules: Vec<AskedRule>,
    /// The most tokens that are shown.
    pub limit: u32,
    /// Where to go on.
    pub after: Option<PolicyCursor>,
}

/// A token that the policy would hit.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The token.
    pub token: Token,
    /// How.
    pub findings: Findings,
}

/// How many tokens would be hit, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Live tokens that were looked at.
    pub examined: u64,
    /// Hit in any way.
    pub hit: u64,
    /// Unused for too long: would stop counting.
    pub idle: u64,
    /// Living too long: would be cut at their next rotation.
    pub lifetime: u64,
    /// Carrying what is not allowed: could not be rotated.
    pub scopes: u64,
    /// Of a kind that is not made: could not be rotated.
    pub kind: u64,
}

/// What a policy would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Over every token looked at.
    pub counts: Counts,
    /// The first of those hit.
    pub tokens: Vec<Examined>,
    /// Where to go on, if there may be more: after the last token shown, or the last one looked at.
    pub next: Option<PolicyCursor>,
    /// The moment it was judged for.
    pub now: Timestamp,
}

impl PolicyCursor {
    /// Reads a cursor back.
    ///
    /// # Errors
    /// Any text that its display did not write.
    pub fn parse(text: &str) -> Result<Self, InvalidCursor> {
        let (kind, after) = text.split_once('.').ok_or(InvalidCursor)?;
        Ok(Self { kind: Kind::parse(kind).ok_or(InvalidCursor)?, after: Cursor::parse(after)? })
    }
}

impl fmt::Display for PolicyCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.after)
    }
}

impl Policies {
    /// What a policy would do to the live tokens of the caller's organisation, kind by kind, newest first.
    ///
    /// # Errors
    /// As [`Policies::set`].
    pub async fn preview(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        request: PreviewRequest,
    ) -> Result<Preview, PolicyError> {
        check_organization(caller, organization)?;
        check_unconfined(caller)?;
        let rules = self.read(request.rules)?;
        let now = self.context.now();
        let mut preview = Preview { counts: Counts::default(), tokens: Vec::new(), next: None, now };
        let begins = request.after.map_or(0, |cursor| place(cursor.kind));
        for kind in Kind::ALL.into_iter().filter(|kind| place(*kind) >= begins) {
            let Some((_, rule)) = rules.get(kind.as_str()) else { continue };
            let mut after = request.after.filter(|cursor| cursor.kind == kind).map(|cursor| cursor.after);
            loop {
                let mut page = self.page(organization, kind, after, now).await?;
                self.context.uses.add_to(&mut page);
                let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
                for token in page {
                    after = Some(Cursor { created_at: token.facts.created_at, id: token.id });
                    self.examine(&mut preview, rule, token, request.limit)?;
                    if preview.counts.examined >= u64::from(MOST_EXAMINED) {
                        preview.next = preview.next.or(after.map(|after| PolicyCursor { kind, after }));
                        return Ok(preview);
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(preview)
    }

    fn examine(&self, preview: &mut Preview, rule: &KindRule, token: Token, limit: u32) -> Result<(), Failure> {
        let catalogue = &self.context.catalogue;
        let listed = restored(catalogue, &token.scopes)?;
        let findings = rule.findings(catalogue, &token.facts, &listed, token.last_used_at, preview.now);
        preview.counts.note(findings);
        if !findings.any() {
            return Ok(());
        }
        if preview.tokens.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            preview.tokens.push(Examined { token, findings });
        } else if preview.next.is_none() {
            preview.next = preview.tokens.last().map(|Examined { token, .. }| PolicyCursor {
                kind: token.owner.kind(),
                after: Cursor { created_at: token.facts.created_at, id: token.id },
            });
        }
        Ok(())
    }

    async fn page(
        &self,
        organization: OrganizationId,
        kind: Kind,
        after: Option<Cursor<kind::Token>>,
        now: Timestamp,
    ) -> Result<Vec<Token>, Failure> {
        let after = after.map(|cursor| (cursor.created_at, cursor.id));
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(reads.live_tokens_of_kind(organization, kind, after, now, PAGE)));
        Ok(read.await?)
    }
}

impl Counts {
    fn note(&mut self, found: Findings) {
        self.examined += 1;
        self.hit += u64::from(found.any());
        self.idle += u64::from(found.idle);
        self.lifetime += u64::from(found.lifetime);
        self.scopes += u64::from(found.scopes);
        self.kind += u64::from(found.kind);
    }
}

/// The place of a kind in the order of an examination.
fn place(kind: Kind) -> usize {
    Kind::ALL.iter().position(|other| *other == kind).unwrap_or_default()
}
