//! What every verb stands on: the store, the clock, the generator, the catalogue, the keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secret_hash::{Argon2Params, Keyring, Scheme};
use storage::Store;
use token_domain::id::{Id, Kind, TokenId, kind};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::role::Power;
use token_domain::scope::Grants;
use token_domain::text::Slug;
use token_domain::token::RotationPolicy;
use token_domain::{Requirement, ScopeCatalogue, ScopeSet, Span, Timestamp};
use tokio::runtime::Handle;

use crate::env::{Clock, Entropy, Lease, new_id, random};
use crate::error::Failure;
use crate::fence::Fences;
use crate::ledger::{Comparisons, Ledger};
use crate::legacy::{Legacy, LegacyShapes};
use crate::limits::{
    CodeLimiter, DEVICE_MEMORY, MessageLimiter, RefusalLedger, ResetLimiter, SharedCounts, SharedLimitCounters,
    SharedTally, SignInLimiter, SignInLimits,
};
use crate::shared::{SharedCache, SharedCounters};
use crate::slow::{LaneLimits, SlowLane};
use crate::unit::Units;
use crate::usage::{Backlog, NewAddresses, Uses};

/// Invitations that an organisation has mailed before it has to wait: a team of a hundred is invited at once. With the longest
/// wait another hundred a day follow.
const INVITATIONS: u32 = 100;
/// Messages about tokens that a person gets before they have to wait, likewise.
const NOTICES: u32 = 30;
/// How long deliveries to webhooks are kept and listed.
const DELIVERIES_KEPT: Span = Span::days(30);

/// What a deployment chose, as far as the verbs care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How new token secrets are hashed.
    pub scheme: Scheme,
    /// How passwords are hashed.
    pub password: Argon2Params,
    /// The fewest characters of a password that is chosen now.
    pub password_min_chars: usize,
    /// Graces.
    pub rotation: RotationPolicy,
    /// How long a session lasts.
    pub session_lifetime: Span,
    /// How long a proof by password or second factor is good for changing what signing in stands on.
    pub fresh_proof: Span,
    /// How long an invitation may be accepted.
    pub invitation_lifetime: Span,
    /// Whether people may make further organisations by themselves.
    pub open_founding: bool,
    /// The organisation whose administrators operate the deployment; nothing for the one that was made first.
    pub operators: Option<Slug>,
    /// How many attempts at signing in are put up with.
    pub sign_in: SignInLimits,
    /// How long an idempotency key is remembered.
    pub idempotency_window: Span,
    /// The most live tokens an organisation may have where it has no cap of its own.
    pub token_cap: Option<u32>,
    /// The most live keys a person may have in an organisation.
    pub key_cap: u32,
    /// How long before a token ends its holder is told so.
    pub expiry_warning: Span,
    /// Which keys that were issued elsewhere are looked up.
    pub legacy: Legacy,
    /// Mail; nothing where none is sent.
    pub mail: Option<MailPolicy>,
    /// Whether organisations may have webhooks.
    pub webhooks: bool,
    /// The identity providers, and the organisations that trust them.
    pub sso: Vec<TrustedProvider>,
}

/// What a deployment that sends mail chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPolicy {
    /// Where links lead: the public URL of the service, without a slash at its end.
    pub links: String,
    /// How long a message that cannot be delivered is kept.
    pub keep: Span,
}

/// An identity provider, as far as sessions and passwords are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProvider {
    /// Its name in paths and with sessions.
    pub id: String,
    /// The organisation that its people sign in to.
    pub organization: Slug,
    /// Whether members of the organisation sign in by it alone.
    pub is_required: bool,
}

impl Policy {
    /// Whether the organisation trusts the provider. One that the operator took away has no sessions any more.
    pub(crate) fn trusts(&self, provider: &str, organization: &Slug) -> bool {
        self.sso.iter().any(|trusted| trusted.id == provider && trusted.organization == *organization)
    }

    /// Whether members with that role sign in to the organisation by its identity provider alone. Owners do not: they get in when
    /// the provider fails.
    pub(crate) fn asks_for_sso(&self, role: RoleRef, organization: &Slug) -> bool {
        let requires = |trusted: &TrustedProvider| trusted.is_required && trusted.organization == *organization;
        role != RoleRef::BuiltIn(BuiltInRole::Owner) && self.sso.iter().any(requires)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            scheme: Scheme::DEFAULT,
            password: Argon2Params::DEFAULT,
            password_min_chars: secret_hash::password::MIN_CHARS,
            rotation: RotationPolicy::default(),
            session_lifetime: Span::days(1),
            fresh_proof: Span::seconds(600),
            invitation_lifetime: Span::days(7),
            open_founding: true,
            operators: None,
            sign_in: SignInLimits::default(),
            idempotency_window: Span::days(1),
            token_cap: None,
            key_cap: 100,
            expiry_warning: Span::days(7),
            legacy: Legacy::default(),
            mail: None,
            webhooks: false,
            sso: Vec::new(),
        }
    }
}

/// What the composition root brings together.
pub struct Parts {
    /// The facts.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The right to answer from memory.
    pub lease: Arc<dyn Lease>,
    /// The scopes and built-in roles.
    pub catalogue: Arc<ScopeCatalogue>,
    /// The keys of the tags.
    pub keyring: Arc<Keyring>,
    /// The ledger of revocations, if one is kept.
    pub ledger: Option<Ledger>,
    /// The lane for slow hashes.
    pub lane: LaneLimits,
    /// The choices.
    pub policy: Policy,
    /// What nodes keep for each other, if they do.
    pub shared: Option<Arc<dyn SharedCache>>,
    /// What nodes count together, if they do.
    pub shared_counts: Option<Arc<dyn SharedCounts>>,
    /// Where units of work and slow hashes run.
    pub runtime: Handle,
}

/// What the verbs share. Cloned by reference into each service.
pub struct Context {
    pub(crate) store: Store,
    pub(crate) units: Units,
    pub(crate) fences: Arc<Fences>,
    /// The store's doubts that every fence was raised for.
    doubts: AtomicU64,
    /// How often memory was not used because the lease was over.
    fail_closed: AtomicU64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) lease: Arc<dyn Lease>,
    pub(crate) catalogue: Arc<ScopeCatalogue>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) comparisons: Comparisons,
    pub(crate) lane: SlowLane,
    pub(crate) sign_ins: Arc<SignInLimiter>,
    pub(crate) codes: CodeLimiter,
    pub(crate) address_messages: CodeLimiter,
    pub(crate) resets: ResetLimiter,
    pub(crate) invitation_messages: MessageLimiter<kind::Organization>,
    pub(crate) notice_messages: MessageLimiter<kind::User>,
    pub(crate) alarm_messages: MessageLimiter<kind::User>,
    pub(crate) refusals: RefusalLedger,
    pub(crate) uses: Uses,
    pub(crate) policy: Policy,
    pub(crate) shared: Option<Arc<dyn SharedCache>>,
    pub(crate) shared_counters: SharedCounters,
    pub(crate) shared_tally: SharedTally,
}

impl Context {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let fences = Arc::new(Fences::default());
        let shared_tally = SharedTally::new(parts.shared_counts, &parts.keyring);
        Arc::new(Self {
            units: Units::new(
                parts.store.clone(),
                Arc::clone(&fences),
                Arc::clone(&parts.lease),
                parts.ledger.clone(),
                parts.runtime.clone(),
            ),
            store: parts.store,
            fences,
            doubts: AtomicU64::new(0),
            fail_closed: AtomicU64::new(0),
            clock: parts.clock,
            entropy: parts.entropy,
            lease: parts.lease,
            catalogue: parts.catalogue,
            keyring: parts.keyring,
            ledger: parts.ledger,
            comparisons: Comparisons::default(),
            lane: SlowLane::new(parts.lane, parts.runtime),
            sign_ins: Arc::new(SignInLimiter::new(parts.policy.sign_in, shared_tally.clone())),
            codes: CodeLimiter::new(shared_tally.clone()),
            address_messages: CodeLimiter::default(),
            resets: ResetLimiter::new(shared_tally.clone()),
            invitation_messages: MessageLimiter::new(INVITATIONS),
            notice_messages: MessageLimiter::new(NOTICES),
            alarm_messages: MessageLimiter::new(NOTICES),
            refusals: RefusalLedger::default(),
            uses: Uses::telling(if parts.policy.mail.is_some() || parts.policy.webhooks {
                NewAddresses::Noted
            } else {
                NewAddresses::Ignored
            }),
            policy: parts.policy,
            shared: parts.shared,
            shared_counters: SharedCounters::default(),
            shared_tally,
        })
    }

    /// The scopes and built-in roles of this deployment.
    pub fn catalogue(&self) -> &ScopeCatalogue {
        &self.catalogue
    }

    /// The formats of other systems' keys that this deployment accepts.
    pub fn legacy_shapes(&self) -> &LegacyShapes {
        &self.policy.legacy.shapes
    }

    /// The lane for slow hashes, for its counters.
    pub const fn lane(&self) -> &SlowLane {
        &self.lane
    }

    /// The store, for readiness and counters.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The fences, for changes of the database that no verb here makes.
    pub fn fences(&self) -> &Fences {
        &self.fences
    }

    /// The ledger of revocations, if one is kept.
    pub const fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// The comparisons of the ledger with a database that took the place of another.
    pub const fn comparisons(&self) -> &Comparisons {
        &self.comparisons
    }

    /// The choices of this deployment.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The moment, by this deployment's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes that a token was found to have these scopes when they were asked for, where that was not decided by the
    /// validation itself.
    pub fn note_scopes(&self, token: TokenId, required: &Requirement) {
        self.uses.sightings().scopes(token, required, self.now());
    }

    /// 128 random bits as text: for what must be told apart and kept from nobody, such as a form that is carried out once.
    ///
    /// # Errors
    /// The generator's.
    pub fn nonce(&self) -> Result<String, Failure> {
        let bits: [u8; 16] = random(self.entropy.as_ref())?;
        Ok(format!("{:032x}", u128::from_be_bytes(bits)))
    }

    /// Goes on from the newest moment the database holds, should the clock of this machine be behind it: what had ended
    /// before a restart stays ended. Call it before anything is answered.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn resume_time(&self) -> Result<(), Failure> {
        if let Some(newest) = self.store.read(|reads| Box::pin(reads.newest_event())).await? {
            self.clock.not_before(newest);
        }
        Ok(())
    }

    /// The moment by the wall clock as it is, for what is compared with the clocks of others.
    pub fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    /// A time for waits, which no change of the clock makes longer or shorter.
    pub(crate) fn steady(&self) -> Timestamp {
        self.clock.steady()
    }

    /// Whether this process may still answer from memory. Call it before every use of memory, and before checking the fence: if
    /// another process wrote to the database, this raises the fences for everything read before.
    pub fn may_remember(&self) -> bool {
        let doubts = self.store.counters().doubts();
        if doubts != self.doubts.load(Ordering::Acquire) {
            // Raise the fences first: a reader that sees the new number must find them raised.
            self.fences.raise_all();
            self.doubts.fetch_max(doubts, Ordering::AcqRel);
        }
        let is_current = self.lease.is_current();
        if !is_current {
            self.fail_closed.fetch_add(1, Ordering::Relaxed);
        }
        is_current
    }

    /// How often memory was not used because the lease was over.
    pub fn fail_closed(&self) -> u64 {
        self.fail_closed.load(Ordering::Relaxed)
    }

    /// The number of attempts counted with other nodes by outcome; `None` without any.
    pub fn shared_limits(&self) -> Option<&SharedLimitCounters> {
        self.shared_tally.counters()
    }

    /// The number of reads of the shared cache by outcome; `None` without such a cache.
    pub fn shared_counters(&self) -> Option<&SharedCounters> {
        self.shared.as_ref().map(|_| &self.shared_counters)
    }

    /// Uses of tokens that wait to be written down.
    pub fn unwritten_uses(&self, now: Timestamp) -> Backlog {
        self.uses.backlog(now)
    }

    /// The right to answer from memory, and what holds in the memory of others.
    pub fn lease(&self) -> &dyn Lease {
        self.lease.as_ref()
    }

    /// The clock of the database, which all nodes follow, showed this between a question and its answer; both in nanoseconds
    /// after this machine's start.
    pub fn follow_time(&self, moment: Timestamp, asked_nanos: i64, answered_nanos: i64) {
        self.clock.follow(moment, asked_nanos / 1_000, answered_nanos / 1_000);
    }

    /// Waits for every unit of work that was begun; call it once, when no request can begin another.
    pub async fn drain(&self) {
        self.units.drain().await;
    }

    /// Removes what stopped counting long ago: used-up idempotency keys, old entries of the log, identity tokens that can
    /// no longer be presented, invitations nobody accepted, devices nobody signed in from, and deliveries to webhooks. A bounded
    /// number at a time.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn forget_old(&self) -> Result<usize, Failure> {
        const AT_ONCE: u32 = 1_000;
        /// Deliveries are many: 100 000 at a time, in units of their own that others can come between.
        const PARTS: usize = 100;
        let now = self.now();
        let keys_before = now - self.policy.idempotency_window;
        // A node that was away longer than the log is kept empties its cache, so two days are ample.
        let log_before = now - Span::days(2);
        // By the wall clock, as their ends are.
        let identities_before = self.wall();
        // Kept long enough for their authors to see that they expired.
        let invitations_before = now - Span::days(30);
        let devices_before = now - DEVICE_MEMORY;
        let deliveries_before = now - DELIVERIES_KEPT;
        let mut deliveries = 0;
        for _ in 0..PARTS {
            let part = self.store.write(move |tx| {
                Box::pin(
                    async move { Ok::<_, Failure>(tx.delete_deliveries_before(deliveries_before, AT_ONCE).await?) },
                )
            });
            let removed = part.await?;
            deliveries += removed;
            if removed == 0 {
                break;
            }
        }
        let others: Result<usize, Failure> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let keys = tx.delete_idempotency_before(keys_before, AT_ONCE).await?;
                    let entries = tx.delete_log_before(log_before, AT_ONCE).await?;
                    let identities = tx.delete_identities_before(identities_before, AT_ONCE).await?;
                    let invitations = tx.delete_invitations_before(invitations_before, AT_ONCE).await?;
                    let devices = tx.delete_devices_before(devices_before, AT_ONCE).await?;
                    Ok(keys + entries + identities + invitations + devices)
                })
            })
            .await;
        Ok(others? + deliveries)
    }

    pub(crate) fn id<K: Kind>(&self, now: Timestamp) -> Result<Id<K>, Failure> {
        Ok(new_id(now, self.entropy.as_ref())?)
    }

    /// The names of scopes as listed, as they are stored.
    pub(crate) fn names_of(&self, grants: &Grants) -> Vec<String> {
        grants.names(&self.catalogue).into_iter().map(str::to_owned).collect()
    }

    /// What a role lets its wearer do and decide about.
    pub(crate) fn power(&self, role: RoleRef, custom_scopes: Option<&[String]>) -> Result<Power, Failure> {
        let scopes = self.ceiling(role, custom_scopes)?;
        Ok(match role {
            RoleRef::BuiltIn(BuiltInRole::Owner) => Power::of_owner(scopes),
            RoleRef::BuiltIn(BuiltInRole::Admin | BuiltInRole::Member | BuiltInRole::Viewer) | RoleRef::Custom(_) => {
                Power::of(scopes)
            }
        })
    }

    /// What a role may do now.
    pub(crate) fn ceiling(&self, role: RoleRef, custom_scopes: Option<&[String]>) -> Result<ScopeSet, Failure> {
        ceiling(&self.catalogue, role, custom_scopes)
    }
}

/// What a role may do, by a catalogue.
pub(crate) fn ceiling(
    catalogue: &ScopeCatalogue,
    role: RoleRef,
    custom_scopes: Option<&[String]>,
) -> Result<ScopeSet, Failure> {
    match role {
        RoleRef::BuiltIn(role) => Ok(built_in_ceiling(catalogue, role)),
        RoleRef::Custom(id) => {
            let scopes = custom_scopes.ok_or_else(|| Failure::Inconsistent(format!("role {id} has no scopes")))?;
            let grants = catalogue
                .restore(scopes)
                .map_err(|error| Failure::Inconsistent(format!("role {id} cannot be read: {error}")))?;
            Ok(grants.effective())
        }
    }
}

fn built_in_ceiling(catalogue: &ScopeCatalogue, role: BuiltInRole) -> ScopeSet {
    // The catalogue refuses to load without all four, so the empty set is never reached.
    catalogue.role(role.as_str()).map_or(ScopeSet::EMPTY, |role| catalogue.expand(role.scopes.iter().copied()))
}
