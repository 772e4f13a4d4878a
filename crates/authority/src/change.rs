//! A change: one unit of work that locks the trail it belongs to, looks again at whoever asked for it, and records what it
//! did.
//!
//! A request is judged when it comes in, and then waits: for its turn at the slow hashes, for a lock. By the time it takes
//! effect its token may be revoked, its person removed, its role narrowed. [`Context::change`] therefore reads the caller
//! again inside the transaction, **after** the locks that a revocation takes as well, and hands the work the rights of that
//! moment. Either a revocation commits first, and is seen here, or it waits until what is made here is there for it to see.
//! A second read without a common lock would not do: under READ COMMITTED both could go by each other.
//!
//! Locks, in the order in which they are taken: the end of the trail (all that an organisation decides: tokens, roles,
//! memberships, policies), the person's row (what holds everywhere: password, second factor, all sessions), the session.
//!
//! **Invariant:** a change that records nothing changes nothing: its unit is rolled back.

use std::sync::Arc;

use futures::future::BoxFuture;
use storage::Tx;
use storage::model::{Credential, Hold, LogPlace, Opening, Standing, Touched};
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{MembershipStanding, Principal, Session, SessionStanding, TokenTerms, User};
use token_domain::role::Power;
use token_domain::text::Email;
use token_domain::token::{Kind, Status};
use token_domain::{ScopeSet, Timestamp};

use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::error::Failure;
use crate::letters::{self, Letter, Notice};
use crate::origin::{Caller, Origin, Via};
use crate::rights::{self, Refused};
use crate::unit::Touching;

/// A request for a change: who asks, and in which trail it is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    trail: Option<OrganizationId>,
    by: Principal,
    caller: Option<Caller>,
    person: Option<(UserId, Hold)>,
    terms_for: Option<Kind>,
    origin: Origin,
}

/// A change under way.
pub(crate) struct Change<'t> {
    /// The transaction.
    pub(crate) tx: &'t mut Tx,
    /// The moment it takes effect, read under its locks.
    pub(crate) now: Timestamp,
    /// The request that asked for it.
    pub(crate) origin: Origin,
    context: Arc<Context>,
    trail: Trail,
    by: Principal,
    asker: Asker,
    terms: TokenTerms,
    touching: Touching,
    is_recorded: bool,
}

/// Who asks for a change, as read under its locks.
enum Asker {
    /// The service itself, or a party it acts for.
    Nobody,
    /// A person who proved who they are in the request.
    Member(Box<MembershipStanding>),
    /// A session.
    Session(Caller, Box<SessionStanding>),
    /// A token.
    Token(Caller, Status),
}

impl Ask {
    /// A change that a caller asks for, in the trail of their organisation.
    pub(crate) fn by(caller: &Caller, origin: &Origin) -> Self {
        Self {
            trail: Some(caller.organization_id),
            by: caller.principal(),
            caller: Some(*caller),
            person: caller.user_id().map(|user| (user, Hold::Shared)),
            terms_for: None,
            origin: origin.clone(),
        }
    }

    /// A change without a caller: a revocation by the service itself, by an operator or by the finder of a leaked secret.
    pub(crate) fn of(by: Principal, trail: Option<OrganizationId>, origin: &Origin) -> Self {
        Self { trail, by, caller: None, person: None, terms_for: None, origin: origin.clone() }
    }

    /// In another organisation's trail than the caller's.
    pub(crate) const fn in_trail_of(mut self, organization: OrganizationId) -> Self {
        self.trail = Some(organization);
        self
    }

    /// On behalf of a person who proved their identity in the request; their row is locked shared.
    pub(crate) const fn of_person(mut self, user: UserId) -> Self {
        self.person = Some((user, Hold::Shared));
        self
    }

    /// About a person, whose row is locked exclusively: the change takes something from them everywhere.
    pub(crate) const fn holding(mut self, user: UserId) -> Self {
        self.person = Some((user, Hold::Exclusive));
        self
    }

    /// A change that makes a token of this kind.
    pub(crate) const fn making(mut self, kind: Kind) -> Self {
        self.terms_for = Some(kind);
        self
    }

    /// Checks that the caller still has the rights they were admitted with, for a unit of work that records no event. The outer
    /// error is the service's own.
    ///
    /// # Errors
    /// [`Refused`]; a role or scope that cannot be read.
    pub(crate) fn check(
        &self,
        context: &Context,
        standing: Option<Standing>,
        now: Timestamp,
    ) -> Result<Result<(), Refused>, Failure> {
        Ok(asker(context, self.caller.as_ref(), standing, now)?.map(drop))
    }

    /// The rows that the change reads and locks first.
    pub(crate) fn opening(&self) -> Opening {
        let credential = match self.caller.as_ref().map(|caller| (caller.via, caller.organization_id)) {
            None => Credential::None,
            Some((Via::Session { session_id, .. }, _)) => Credential::Session(session_id),
            Some((Via::Token { token_id, .. }, organization)) => Credential::Token(organization, token_id),
        };
        Opening { trail: self.trail, credential, person: self.person, terms_for: self.terms_for }
    }
}

impl Context {
    /// Carries a change out, if its caller still has the right to it once the locks are held.
    ///
    /// # Errors
    /// [`Refused`]; what the work returned, in which case nothing was changed; a failure of the store.
    pub(crate) async fn change<T, E, F>(self: &Arc<Self>, ask: Ask, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + From<Refused> + Send + 'static,
        F: for<'c, 't> FnOnce(&'c mut Change<'t>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        Ok(self.change_placed(ask, work).await?.0)
    }

    /// As [`change`](Self::change), with the place of the change in the log; nothing where it changed nothing.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub(crate) async fn change_placed<T, E, F>(self: &Arc<Self>, ask: Ask, work: F) -> Result<(T, Option<LogPlace>), E>
    where
        T: Send + 'static,
        E: From<Failure> + From<Refused> + Send + 'static,
        F: for<'c, 't> FnOnce(&'c mut Change<'t>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (context, touching) = (Arc::clone(self), self.units.touching());
        let also = touching.clone();
        let ended = self.units.run_placed(self.now(), touching, move |tx| {
            Box::pin(async move {
                let mut change = Change::open::<Ended<T, E>>(context, tx, ask, also).await?;
                let value = work(&mut change).await.map_err(Ended::Failed)?;
                if change.is_recorded { Ok(value) } else { Err(Ended::Unchanged(value, change.touching.taken_from())) }
            })
        });
        match ended.await {
            Ok(placed) => Ok(placed),
            Err(Ended::Unchanged(value, touched)) => Ok((value, self.confirm(touched).await?)),
            Err(Ended::Failed(error)) => Err(error),
        }
    }
}

impl Context {
    /// Logs an earlier revocation again. Its own request may still be waiting until it holds on every node, or may not know
    /// whether its commit succeeded; but this caller is told "revoked" too, and must be able to rely on it. The new commit
    /// follows the first in the database's own log, and every node that has applied the entry reads anew.
    async fn confirm(&self, touched: Vec<Touched>) -> Result<Option<LogPlace>, Failure> {
        if touched.is_empty() || !self.lease.has_others() {
            return Ok(None);
        }
        let touching = self.units.touching();
        for touched in touched {
            touching.touch(touched);
        }
        let ((), place) =
            self.units.run_placed(self.now(), touching, |_| Box::pin(async { Ok::<_, Failure>(()) })).await?;
        Ok(place)
    }
}

/// How a unit ended that committed nothing.
enum Ended<T, E> {
    /// There was nothing to change; holds the things that the work would have taken rights from.
    Unchanged(T, Vec<Touched>),
    Failed(E),
}

impl<T, E: From<Failure>> From<Failure> for Ended<T, E> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl<T, E: From<Refused>> From<Refused> for Ended<T, E> {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.into())
    }
}

impl<'t> Change<'t> {
    async fn open<E>(context: Arc<Context>, tx: &'t mut Tx, ask: Ask, touching: Touching) -> Result<Self, E>
    where
        E: From<Failure> + From<Refused>,
    {
        let opened = tx.open(ask.opening()).await.map_err(Failure::from)?;
        let now = context.now();
        let asker = asker(&context, ask.caller.as_ref(), opened.standing, now)??;
        Ok(Self {
            tx,
            now,
            origin: ask.origin,
            context,
            trail: Trail::at(ask.trail, opened.head),
            by: ask.by,
            asker,
            terms: opened.terms,
            touching,
            is_recorded: false,
        })
    }

    /// What the verbs share.
    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// The principal recorded as the author of the change.
    pub(crate) const fn by(&self) -> Principal {
        self.by
    }

    /// The caller, as of now.
    ///
    /// # Errors
    /// [`Refused::Gone`] for a change that no caller asked for.
    pub(crate) const fn caller(&self) -> Result<&Caller, Refused> {
        match &self.asker {
            Asker::Session(caller, _) | Asker::Token(caller, _) => Ok(caller),
            Asker::Nobody | Asker::Member(_) => Err(Refused::Gone),
        }
    }

    /// The scopes the caller has now; empty for a change without a caller.
    pub(crate) fn effective(&self) -> ScopeSet {
        self.caller().map_or(ScopeSet::EMPTY, |caller| caller.effective)
    }

    /// The current membership of the person who is signed in or proved their identity in the request.
    pub(crate) const fn member(&self) -> Option<&MembershipStanding> {
        match &self.asker {
            Asker::Session(_, found) => Some(&found.standing),
            Asker::Member(standing) => Some(standing),
            Asker::Token(..) | Asker::Nobody => None,
        }
    }

    /// The session of the caller, if it is one.
    pub(crate) const fn session(&self) -> Option<&Session> {
        match &self.asker {
            Asker::Session(_, found) => Some(&found.session),
            Asker::Member(_) | Asker::Token(..) | Asker::Nobody => None,
        }
    }

    /// What the caller may do and decide about now. A personal key never has its owner's rank: only a signed-in owner decides
    /// about owners.
    ///
    /// # Errors
    /// A role that cannot be read.
    pub(crate) fn power(&self) -> Result<Power, Failure> {
        match self.member() {
            Some(standing) => self.context.power(standing.role, standing.custom_scopes.as_deref()),
            None => Ok(Power::of(self.effective())),
        }
    }

    /// Refuses a token that was rotated: it may be used until its grace ends, and gives nobody anything that lasts longer.
    ///
    /// # Errors
    /// [`Refused::Superseded`].
    pub(crate) const fn check_not_superseded(&self) -> Result<(), Refused> {
        match self.asker {
            Asker::Token(_, Status::Rotating) => Err(Refused::Superseded),
            Asker::Token(..) | Asker::Session(..) | Asker::Member(_) | Asker::Nobody => Ok(()),
        }
    }

    /// Requires a session whose person recently confirmed their presence by password or second factor: a stolen session, or one
    /// left open, must not change the credentials that signing in depends on.
    ///
    /// # Errors
    /// [`Refused::ProofNeeded`].
    pub(crate) fn check_proven_lately(&self) -> Result<(), Refused> {
        let earliest = self.now - self.context.policy.fresh_proof;
        let proven = self.session().and_then(|session| session.proven_at);
        if proven.is_some_and(|proven| proven >= earliest) { Ok(()) } else { Err(Refused::ProofNeeded) }
    }

    /// As [`check_proven_lately`](Self::check_proven_lately), for what holds in all organisations of the person: what signing in
    /// to them stands on, and joining another. An organisation's identity provider has no say there: whoever runs it could take
    /// over people's accounts in other organisations.
    ///
    /// # Errors
    /// [`Refused::OfProvider`], [`Refused::ProofNeeded`].
    pub(crate) fn check_person_proven_lately(&self) -> Result<(), Refused> {
        self.check_person_everywhere()?;
        self.check_proven_lately()
    }

    /// Refuses a session that an identity provider made.
    ///
    /// # Errors
    /// [`Refused::OfProvider`].
    pub(crate) fn check_person_everywhere(&self) -> Result<(), Refused> {
        if self.is_by_provider() { Err(Refused::OfProvider) } else { Ok(()) }
    }

    /// Refuses a session that an identity provider made of a person who is in other organisations as well, for what would be seen
    /// there too.
    ///
    /// # Errors
    /// [`Refused::OfProvider`]; an error of the store.
    pub(crate) async fn check_concerns_nobody_else<E>(&mut self, user: UserId) -> Result<(), E>
    where
        E: From<Refused> + From<Failure>,
    {
        if self.is_by_provider() {
            let homes = self.tx.organizations_of_user(user, None, 2).await.map_err(Failure::from)?;
            if homes.len() > 1 {
                return Err(Refused::OfProvider.into());
            }
        }
        Ok(())
    }

    /// Whether the caller's session was made by the identity provider of its organisation.
    pub(crate) fn is_by_provider(&self) -> bool {
        self.session().is_some_and(|session| session.provider.is_some())
    }

    /// Whether the person's organisation requires its identity provider of them.
    pub(crate) fn asks_for_sso(&self) -> bool {
        let policy = &self.context.policy;
        self.member().is_some_and(|member| policy.asks_for_sso(member.role, &member.organization.slug))
    }

    /// Refuses a person who has a second factor and has not proved lately to be at the session: a browser that was left open
    /// shows nobody a new secret. A front end that vouches for its people asks them by itself, so its sessions go on; and a
    /// person without a second factor would only type the password once more that the browser fills in.
    ///
    /// # Errors
    /// [`Refused::ProofNeeded`].
    pub(crate) fn check_present(&self) -> Result<(), Refused> {
        let was_proven =
            self.session().is_some_and(|session| session.proven_at.is_some() || session.provider.is_some());
        let has_factor = self.member().is_some_and(|member| member.second_factor_since.is_some());
        if was_proven && has_factor { self.check_proven_lately() } else { Ok(()) }
    }

    /// The organisation's rules for a new token of the kind given to [`Ask::making`].
    pub(crate) const fn terms(&self) -> &TokenTerms {
        &self.terms
    }

    /// Adds something that loses rights by this change, or that the change creates.
    pub(crate) fn touch(&self, touched: Touched) {
        self.touching.touch(touched);
    }

    /// What the change touches.
    pub(crate) const fn touching(&self) -> &Touching {
        &self.touching
    }

    /// An event of this change.
    pub(crate) fn event(&self, action: &'static str) -> Event {
        Event::new(self.now, action, self.by, &self.origin)
    }

    /// Records what was done, in the trail of the change.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn record(&mut self, event: Event) -> Result<(), Failure> {
        self.is_recorded = true;
        Ok(self.trail.append(self.tx, event).await?)
    }

    /// Has a letter sent once the change is committed; nothing where no mail is configured.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn mail(&mut self, to: &Email, letter: &Letter) -> Result<(), Failure> {
        letters::queue(&self.context, self.tx, self.trail.organization_id(), to, letter).await
    }

    /// Tells a person what the change does to their account, at the address they had before it. An address that nobody verified
    /// may be a stranger's, who is told nothing.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn tell(&mut self, user: &User, notice: Notice) -> Result<(), Failure> {
        let Some(verified) = user.verified else { return Ok(()) };
        let letter = Letter::notice(notice, &self.origin, self.now);
        if verified.is_by_deployment() {
            return self.mail(&user.email, &letter).await;
        }
        // An address that only an organisation vouches for may belong to a stranger. The person who made the account must not
        // choose what that stranger reads, nor send them any number of messages.
        let is_one_too_many = self.context.address_messages.take_here(user.id, self.context.steady()).is_err();
        if is_one_too_many { Ok(()) } else { self.mail(&user.email, &letter.without_agent()).await }
    }

    /// Records an event in the trail of an organisation that this change creates; no other transaction can hold that trail yet.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn record_in(&mut self, organization: OrganizationId, event: Event) -> Result<(), Failure> {
        self.is_recorded = true;
        let mut trail = Trail::open(self.tx, Some(organization)).await?;
        Ok(trail.append(self.tx, event).await?)
    }
}

/// Checks the caller again, against the rows read under the locks. The outer error is the service's own.
fn asker(
    context: &Context,
    caller: Option<&Caller>,
    standing: Option<Standing>,
    now: Timestamp,
) -> Result<Result<Asker, Refused>, Failure> {
    let Some(caller) = caller else {
        return Ok(Ok(match standing {
            Some(Standing::Member(standing)) => Asker::Member(standing),
            Some(Standing::Session(_) | Standing::Token(_)) | None => Asker::Nobody,
        }));
    };
    let admission = caller.admission;
    let admitted = |now: Caller| {
        rights::check(context, &admission, now.effective)?;
        Ok(Caller { admission, ..now })
    };
    Ok(match standing {
        Some(Standing::Session(found)) => match rights::session_caller(context, &found, now)? {
            None => Err(Refused::Gone),
            Some(_) if found.lacks_second_factor() && !admission.is_enrolling => Err(Refused::SecondFactorRequired),
            Some(current) => admitted(current).map(|caller| Asker::Session(caller, found)),
        },
        Some(Standing::Token(found)) => match rights::candidate_caller(context, &found, now)? {
            None => Err(Refused::Gone),
            Some((current, status)) => admitted(current).map(|caller| Asker::Token(caller, status)),
        },
        Some(Standing::Member(_)) | None => Err(Refused::Gone),
    })
}
