//! The authority over a test's database, with a fixed clock and seeded entropy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use authority::env::{Clock, Entropy, EntropyError, Lease};
use authority::hashing::{Argon2Params, Keyring, Scheme, TagKey};
use authority::ledger::Ledger;
use authority::people::{NewPassword, People};
use authority::records::TokenDetails;
use authority::sessions::Sessions;
use authority::setup::{Setup, SetupRequest};
use authority::shared::SharedCache;
use authority::slow::LaneLimits;
use authority::tokens::{IssueRequest, Issued, Tokens};
use authority::validate::{Limits, Outcome, Validator};
use authority::{Admission, Caller, Context, Origin, Parts, Policy, Proven, Via};
use seed::Seed;
use storage::StoreError;
use token_domain::id::{Id, OrganizationId, SessionId, UserId};
use token_domain::record::Session;
use token_domain::text::{AgentType, Email, Name, Slug};
use token_domain::token::Lifetime;
use token_domain::{Requirement, ScopeCatalogue, Span, Timestamp};
use token_format::PlainToken;

use crate::database::Db;
use crate::records::T0;

/// The password of the owner that every world begins with.
pub const PASSWORD: &str = "correct horse battery staple";
/// The owner's e-mail address.
pub const EMAIL: &str = "ada@example.org";

/// The lane of every world.
pub const LANE: LaneLimits = LaneLimits { width: 2, queue: 1_000 };

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    /// How far the wall clock is behind `now`, which never goes back.
    behind: AtomicI64,
    /// How far the wall clock was set ahead; this time has not elapsed.
    skipped: AtomicI64,
}

/// Reproducible entropy: a counter through a mixing function.
#[derive(Debug, Default)]
pub struct SeededEntropy(AtomicU64);

/// A lease that a test can take away.
#[derive(Debug)]
pub struct SwitchedLease(AtomicBool);

impl FixedClock {
    /// A clock that shows `moment`.
    pub const fn at(moment: Timestamp) -> Self {
        Self { now: AtomicI64::new(moment.as_micros()), behind: AtomicI64::new(0), skipped: AtomicI64::new(0) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, span: Span) {
        self.now.fetch_add(span.as_micros(), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, moment: Timestamp) {
        self.now.store(moment.as_micros(), Ordering::SeqCst);
    }

    /// Sets the wall clock ahead while no time elapses. If it was behind, it catches up first.
    pub fn set_ahead(&self, span: Span) {
        let behind = self.behind.load(Ordering::SeqCst);
        let made_good = behind.min(span.as_micros());
        self.behind.fetch_sub(made_good, Ordering::SeqCst);
        self.now.fetch_add(span.as_micros() - made_good, Ordering::SeqCst);
        self.skipped.fetch_add(span.as_micros() - made_good, Ordering::SeqCst);
    }

    /// Sets the wall clock back while no time elapses. As on a real machine, `now` does not go back.
    pub fn set_back(&self, span: Span) {
        self.behind.fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst) - self.behind.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst) - self.skipped.load(Ordering::SeqCst))
    }
}

impl SeededEntropy {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            // SplitMix64 (Steele, Lea, Flood 2014).
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl SwitchedLease {
    /// Grants or takes away the right to answer from memory.
    pub fn set(&self, current: bool) {
        self.0.store(current, Ordering::SeqCst);
    }
}

impl Lease for SwitchedLease {
    fn is_current(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Options of a world.
#[derive(Clone, Debug)]
pub struct Options {
    /// The deployment's policy; hashes are cheap by default.
    pub policy: Policy,
    /// Bounds of the validator.
    pub limits: Limits,
    /// The key of the tags.
    pub tag_key: [u8; 32],
    /// Earlier keys.
    pub previous_keys: Vec<[u8; 32]>,
    /// The ledger of revocations.
    pub ledger: Option<Ledger>,
}

impl Default for Options {
    fn default() -> Self {
        let policy =
            Policy { scheme: Scheme::Sha256, password: Argon2Params::insecure_for_tests(), ..Policy::default() };
        Self { policy, limits: Limits::default(), tag_key: [7; 32], previous_keys: Vec::new(), ledger: None }
    }
}

/// The authority's services over one database, with an organisation and its owner.
pub struct World {
    /// What they share.
    pub context: Arc<Context>,
    /// Validation.
    pub validator: Arc<Validator>,
    /// Tokens.
    pub tokens: Tokens,
    /// Sessions.
    pub sessions: Sessions,
    /// People.
    pub people: People,
    /// The time.
    pub clock: Arc<FixedClock>,
    /// The right to answer from memory.
    pub lease: Arc<SwitchedLease>,
    /// The owner, as a caller.
    pub owner: Caller,
    entropy: Arc<SeededEntropy>,
    keyring: Arc<Keyring>,
}

impl World {
    /// A world with [`Options::default`].
    ///
    /// # Panics
    /// If the database fails.
    pub async fn new(db: &Db) -> Self {
        Self::with(db, Options::default()).await
    }

    /// A world. A second one on the same database finds the same organisation and owner, as after a restart.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn with(db: &Db, options: Options) -> Self {
        Self::sharing(db, options, None).await
    }

    /// A world whose node shares a cache with others.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn sharing(db: &Db, options: Options, shared: Option<Arc<dyn SharedCache>>) -> Self {
        let clock = Arc::new(FixedClock::at(T0));
        let lease = Arc::new(SwitchedLease(AtomicBool::new(true)));
        let keys: Vec<TagKey> = options.previous_keys.iter().copied().map(TagKey::from_bytes).collect();
        let keyring = Keyring::new(&TagKey::from_bytes(options.tag_key), &keys).expect("distinct keys");
        let keyring = Arc::new(keyring);
        let seed = db.store().counters().writes() + 1;
        let entropy = Arc::new(SeededEntropy::new(seed << 32));
        let context = Context::new(Parts {
            store: db.store().clone(),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::clone(&entropy) as _,
            lease: Arc::clone(&lease) as _,
            catalogue: Arc::new(ScopeCatalogue::built_in().expect("the shipped catalogue")),
            keyring: Arc::clone(&keyring),
            ledger: options.ledger,
            lane: LANE,
            policy: options.policy,
            shared,
            shared_counts: None,
            runtime: db.background().clone(),
        });
        let validator = Arc::new(Validator::new(&context, &options.limits));
        let (organization_id, user_id) = settle(db, &context).await;
        let session_id = session(db, organization_id, user_id).await;
        let effective = context.catalogue().expand(context.catalogue().find("admin"));
        Self {
            tokens: Tokens::new(&context),
            sessions: Sessions::new(&context, &validator).expect("password parameters"),
            people: People::new(&context),
            owner: Caller {
                organization_id,
                via: Via::Session { session_id, user_id, proven: Proven::Here },
                effective,
                admission: Admission::default(),
            },
            context,
            validator,
            clock,
            lease,
            entropy,
            keyring,
        }
    }

    /// Creates `count` tokens of the organisation at once and returns their secrets.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn seed(&self, count: usize) -> Vec<PlainToken> {
        let (organization, now) = (self.owner.organization_id, self.context.now());
        let seed = Seed { store: self.context.store(), entropy: self.entropy.as_ref(), organization, now };
        seed.tokens(&self.keyring, count).await.expect("tokens")
    }

    /// Issues a token with these scopes that never ends.
    ///
    /// # Panics
    /// If it cannot be issued.
    pub async fn issue(&self, scopes: &[&str]) -> Issued {
        self.issue_for(scopes, Lifetime::Unlimited).await
    }

    /// Issues a token with a lifetime.
    ///
    /// # Panics
    /// If it cannot be issued.
    pub async fn issue_for(&self, scopes: &[&str], lifetime: Lifetime) -> Issued {
        let request = IssueRequest {
            name: Name::parse("a token").expect("a name"),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            agent_type: AgentType::none(),
            project_id: None,
            lifetime,
            details: TokenDetails::default(),
            idempotency: None,
        };
        self.tokens.issue(&self.owner, request, &origin()).await.expect("a token")
    }

    /// Whether a secret validates now.
    ///
    /// # Panics
    /// If the validation fails.
    pub async fn is_live(&self, secret: &str) -> bool {
        let outcome = self.validator.validate(secret, &Requirement::NOTHING, &origin).await.expect("an answer");
        matches!(outcome, Outcome::Live(_))
    }

    /// The number of database reads for validation so far.
    pub fn reads(&self) -> u64 {
        self.context.store().counters().candidate_reads()
    }
}

/// A request origin without an address.
pub fn origin() -> Origin {
    Origin { request_id: "test".to_owned(), client_ip: None, presented_from: None, user_agent: None }
}

async fn settle(db: &Db, context: &Arc<Context>) -> (OrganizationId, UserId) {
    let slug = Slug::parse("acme").expect("a slug");
    let key = EMAIL.to_owned();
    let found = db
        .store()
        .read(|reads| {
            Box::pin(async move {
                let organization = reads.organization_by_slug(&slug).await?;
                let user = reads.user_by_email_key(&key).await?;
                Ok(organization.zip(user))
            })
        })
        .await
        .expect("the database answers");
    if let Some((organization, user)) = found {
        return (organization.id, user.id);
    }
    let request = SetupRequest {
        slug: Slug::parse("acme").expect("a slug"),
        organization_name: None,
        email: Email::parse(EMAIL).expect("an address"),
        person_name: None,
        password: NewPassword::new(PASSWORD.to_owned().into()).expect("a password"),
    };
    let done = Setup::new(context).run(request, &origin()).await.expect("a set-up");
    (done.organization_id, done.user_id)
}

/// The owner's session: it outlasts every test, always counts as recently proven, and is the same after a restart.
async fn session(db: &Db, organization_id: OrganizationId, user_id: UserId) -> SessionId {
    let id = Id::from_uuid(user_id.uuid());
    let session = Session {
        id,
        user_id,
        organization_id,
        user_agent: None,
        created_at: T0,
        expires_at: T0 + Span::days(3_650),
        proven_at: Some(T0 + Span::days(3_650)),
        provider: None,
    };
    let made = db.store().write(move |tx| {
        Box::pin(async move {
            if tx.sessions_of_user(user_id, None, T0, 1_000).await?.iter().all(|known| known.id != id) {
                tx.insert_session(&session, &[0xd1; 32]).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    made.await.expect("the database answers");
    id
}
