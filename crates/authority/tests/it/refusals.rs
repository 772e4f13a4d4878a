//! Every refusal that has an event: provoked, and found in its trail with who it was and where from.

use std::sync::Arc;

use authority::audit::Refusal;
use authority::hashing::{Scheme, TotpCode};
use authority::invitations::{Acceptance, InvitationCode, Invitations};
use authority::leaks::{LeakError, Leaks};
use authority::organizations::{OrganizationError, Seat};
use authority::password_resets::{PasswordResets, ResetError};
use authority::people::{NewPassword, PersonError};
use authority::records::TokenDetails;
use authority::second_factors::{SecondFactorError, SecondFactors};
use authority::sessions::{Presented, Sessions, SignInError};
use authority::setup::{Setup, SetupCode, SetupRequest};
use authority::slow::Work;
use authority::sso::{Answer, Authorization, Finding, IdentityProviders, Provider, Redeemed, Sso};
use authority::tokens::IssueRequest;
use authority::trust::jwt::{Jwt, KeySet};
use authority::{Caller, Context, MailPolicy, Origin, Policy};
use futures::future::join_all;
use serde_json::{Map, Value};
use storage::model::AuditFilter;
use test_support::world::{EMAIL, LANE, Options, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::id::OrganizationId;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::AuditRecord;
use token_domain::text::{AgentType, Email, Name, Slug};
use token_domain::token::Lifetime;
use token_domain::{Span, Timestamp};
use tokio::sync::Mutex;

/// Whom an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// The account that was guessed at, by a digest, and the person if there is one.
    Account,
    /// The person.
    Person,
    /// Nobody can be told.
    Nobody,
}

/// What an event has to say, and in whose trail.
struct Row {
    whom: Whom,
    /// In the organisation's trail, not the deployment's.
    in_organization: bool,
}

const ADDRESS: &str = "192.0.2.77";
const AGENT: &str = "guesser/1.0";

fn row(refusal: Refusal) -> Row {
    let (whom, in_organization) = match refusal {
        Refusal::SignIn | Refusal::SignInLimited | Refusal::PasswordResetsLimited => (Whom::Account, false),
        Refusal::Confirmation
        | Refusal::SecretsLimited
        | Refusal::AddressCodesLimited
        | Refusal::InvitationsLimited => (Whom::Person, true),
        Refusal::CodeLimited => (Whom::Person, false),
        Refusal::ServiceToken
        | Refusal::ServiceTokenLimited
        | Refusal::Invitation
        | Refusal::SetupCode
        | Refusal::ReportsLimited
        | Refusal::PasswordReset
        | Refusal::Sso => (Whom::Nobody, false),
    };
    Row { whom, in_organization }
}

/// Options with mail, which codes for addresses are sent by.
fn mailing() -> Options {
    let mut options = Options::default();
    options.policy.mail = Some(MailPolicy { links: "https://tokens.example.org".to_owned(), keep: Span::days(3) });
    options
}

async fn caller(world: &World) -> Caller {
    let home = origin();
    let signed_in = world.sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &home).await.expect("an answer");
    world.sessions.authenticate(&Presented::Session(signed_in.token), &home).await.expect("an answer")
}

/// Invites somebody who was not invited before.
async fn invite(world: &World, caller: &Caller, from: &Origin) -> Result<(), OrganizationError> {
    let sessions = Arc::new(Sessions::new(&world.context, &world.validator).expect("an answer"));
    let seat = Seat::of(caller, caller.organization_id).expect("an answer");
    let email = format!("{}@example.org", world.context.nonce().expect("an answer"));
    let email = Email::parse(&email).expect("an answer");
    let role = RoleRef::BuiltIn(BuiltInRole::Viewer);
    Invitations::new(&world.context, &sessions).create(&seat, email, role, from).await.map(drop)
}

/// Has as many invitations mailed as an organisation may, and one more.
async fn invite_too_many(world: &World, from: &Origin) {
    let caller = caller(world).await;
    for _ in 0..100 {
        invite(world, &caller, from).await.expect("an answer");
    }
    invite(world, &caller, from).await.expect_err("a refusal");
}

/// Creates more secrets at once than one caller may.
async fn make_too_many(world: &World, from: &Origin) {
    let made = (0..260).map(|_| {
        let request = IssueRequest {
            name: Name::parse("a token").expect("an answer"),
            scopes: vec!["read".to_owned()],
            agent_type: AgentType::none(),
            project_id: None,
            lifetime: Lifetime::Unlimited,
            details: TokenDetails::default(),
            idempotency: None,
        };
        world.tokens.issue(&world.owner, request, from)
    });
    // Occupy the lane until a request is refused: however slowly requests arrive, no secret is finished before.
    let lane = world.context.lane();
    let gate = Arc::new(Mutex::new(()));
    let closed = Arc::clone(&gate).lock_owned().await;
    let holders = (0..LANE.width).map(|_| {
        let gate = Arc::clone(&gate);
        lane.run(Work::Stranger, move || drop(gate.blocking_lock()))
    });
    let released = async {
        while lane.refused() == 0 {
            tokio::task::yield_now().await;
        }
        drop(closed);
    };
    let (_, made, ()) = tokio::join!(join_all(holders), join_all(made), released);
    assert!(made.iter().any(Result::is_ok) && made.iter().any(Result::is_err));
}

/// Does what is refused so.
async fn provoke(refusal: Refusal, world: &World, from: &Origin) {
    let wrong = || "wrong wrong wrong".to_owned().into();
    match refusal {
        Refusal::SignIn => drop(world.sessions.sign_in(EMAIL, wrong(), None, from).await.expect_err("a refusal")),
        Refusal::SignInLimited => {
            for _ in 0..11 {
                world.sessions.sign_in(EMAIL, wrong(), None, from).await.expect_err("a refusal");
            }
        }
        Refusal::Confirmation => {
            let caller = caller(world).await;
            let new = NewPassword::new("another long password".to_owned().into()).expect("an answer");
            world.people.change_password(&caller, wrong(), new, from).await.expect_err("a refusal");
        }
        Refusal::CodeLimited => {
            let caller = caller(world).await;
            let factors = SecondFactors::new(&world.context);
            let secret = factors.begin(&caller, &origin()).await.expect("an answer").secret;
            let step = world.context.now().as_micros() / 30_000_000;
            let right: Vec<String> = (-1..=1).map(|offset| secret.shown(step + offset)).collect();
            let wrong = (0..4).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).expect("an answer");
            for _ in 0..6 {
                factors
                    .confirm(&caller, TotpCode::parse(&wrong).expect("an answer"), from)
                    .await
                    .expect_err("a refusal");
            }
        }
        Refusal::ServiceToken => world.sessions.refuse_front_end(from).await.expect("an answer"),
        Refusal::ServiceTokenLimited => {
            for _ in 0..10 {
                world.sessions.refuse_front_end(from).await.expect("an answer");
            }
            world.sessions.refuse_front_end(from).await.expect_err("a refusal");
        }
        Refusal::Invitation => {
            let sessions = Arc::new(Sessions::new(&world.context, &world.validator).expect("an answer"));
            let code = InvitationCode::from_random([3; 32]);
            let acceptance = Acceptance { code, name: None, password: None, caller: None };
            Invitations::new(&world.context, &sessions).accept(acceptance, from).await.expect_err("a refusal");
        }
        Refusal::SetupCode => {
            let (_, code) = SetupCode::generate(&world.context).expect("an answer");
            let request = SetupRequest {
                slug: Slug::parse("another").expect("an answer"),
                organization_name: None,
                email: Email::parse("eve@example.org").expect("an answer"),
                person_name: None,
                password: NewPassword::new("another long password".to_owned().into()).expect("an answer"),
            };
            Setup::new(&world.context).run_with_code(Some(&code), "0", request, from).await.expect_err("a refusal");
        }
        Refusal::SecretsLimited => make_too_many(world, from).await,
        Refusal::AddressCodesLimited => {
            let caller = caller(world).await;
            let email = || Some(Email::parse("stranger@example.org").expect("an answer"));
            for _ in 0..5 {
                world.people.edit_me(&caller, None, email(), from).await.expect("an answer");
            }
            world.people.edit_me(&caller, None, email(), from).await.expect_err("a refusal");
        }
        Refusal::InvitationsLimited => invite_too_many(world, from).await,
        Refusal::ReportsLimited => {
            let leaks = Leaks::new(&world.context, &world.validator, 1);
            leaks.revoke_found(&[], from).await.expect("an answer");
            leaks.revoke_found(&[], from).await.expect_err("a refusal");
        }
        Refusal::PasswordReset => {
            let resets = PasswordResets::new(&world.context);
            let new = NewPassword::new("an unlikely string of words 7".to_owned().into()).expect("an answer");
            let code = format!("nlr_{}", "0".repeat(64));
            resets.confirm(&code, new, from).await.expect_err("a refusal");
        }
        Refusal::Sso => {
            sso(world).finish("corp", None, &Answer::default(), None, from).await.expect_err("a refusal");
        }
        Refusal::PasswordResetsLimited => {
            let resets = PasswordResets::new(&world.context);
            for _ in 0..4 {
                resets.request(&Email::parse(EMAIL).expect("an answer"), from).await.expect("an answer");
            }
        }
    }
}

/// Providers of which none can be reached.
struct Unreachable;

impl IdentityProviders for Unreachable {
    fn authorization<'a>(&'a self, _: &'a Provider, _: &'a Context) -> Finding<'a, Authorization> {
        Box::pin(async { None })
    }

    fn with_query(&self, address: &str, _: &[(&str, &str)]) -> String {
        address.to_owned()
    }

    fn redeem<'a>(&'a self, _: &'a Provider, _: &'a str, _: &'a str, _: &'a Context) -> Finding<'a, Redeemed> {
        Box::pin(async { None })
    }

    fn user_info<'a>(&'a self, _: &'a Provider, _: &'a str, _: &'a Context) -> Finding<'a, Map<String, Value>> {
        Box::pin(async { None })
    }

    fn keys<'a>(&'a self, _: &'a str, _: &'a Jwt, _: &'a Context) -> Finding<'a, Arc<KeySet>> {
        Box::pin(async { None })
    }
}

fn sso(world: &World) -> Sso {
    let sessions = Sessions::new(&world.context, &world.validator).expect("password parameters");
    let provider = Provider {
        id: "corp".to_owned(),
        name: "Corp".to_owned(),
        issuer: "https://login.example.org".to_owned(),
        client_id: "tokens".to_owned(),
        client_secret: None,
        redirect_uri: "https://tokens.example.org/sign-in/sso/corp/callback".to_owned(),
        scopes: vec!["openid".to_owned()],
        required_claims: Vec::new(),
        domains: vec!["example.org".to_owned()],
        organization: Slug::parse("acme").expect("a slug"),
        default_role: None,
        groups_claim: "groups".to_owned(),
        roles: Vec::new(),
        is_required: false,
    };
    Sso::new(&world.context, &Arc::new(sessions), vec![provider], Arc::new(Unreachable))
}

async fn events(db: &Db, organization: Option<OrganizationId>, action: &str) -> Vec<AuditRecord> {
    let chain = AuditFilter::chain(organization, 0, 1_000);
    let page = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    page.await.expect("an answer").into_iter().filter(|event| event.action == action).collect()
}

#[test]
fn each_refusal_says_who_and_from_where() {
    Db::each(async |db| {
        for refusal in Refusal::ALL {
            // A world each, so that none is held for what another did. Secrets wait for the lane, as slow ones do.
            let policy = Policy { scheme: Scheme::Bcrypt { cost: 4 }, ..mailing().policy };
            let world = World::with(db, Options { policy, ..mailing() }).await;
            let from = Origin {
                client_ip: Some(ADDRESS.parse().unwrap()),
                user_agent: Some(AGENT.to_owned()),
                request_id: format!("{refusal:?}"),
                ..origin()
            };
            provoke(refusal, &world, &from).await;
            let Row { whom, in_organization } = row(refusal);
            let trail = in_organization.then_some(world.owner.organization_id);
            let event = events(db, trail, refusal.action()).await.pop();
            let event = event.unwrap_or_else(|| panic!("{refusal:?} left no event"));
            let detail: Value = serde_json::from_str(&event.detail).unwrap();
            assert_eq!((&detail["client_ip"], &detail["agent"]), (&ADDRESS.into(), &AGENT.into()), "{refusal:?}");
            assert_eq!(event.request_id, from.request_id, "{refusal:?}");
            let person = world.owner.user_id().unwrap().to_string();
            let is_named = event.target_id == person || event.actor == format!("user:{person}");
            let account = detail["account"].as_str().map(str::len);
            match whom {
                Whom::Account => assert_eq!(account, Some(32), "{refusal:?}: a digest"),
                Whom::Person => assert!(is_named, "{refusal:?}: {event:?}"),
                Whom::Nobody => assert_eq!((account, event.actor.as_str()), (None, "anonymous"), "{refusal:?}"),
            }
            assert!(!event.detail.contains(EMAIL), "{refusal:?}: no address stands in a trail");
        }
    });
}

/// Somebody who guesses, and asks again as soon as they may.
struct Guesser<'w> {
    world: &'w World,
    caller: Caller,
    factors: SecondFactors,
    leaks: Leaks,
    resets: PasswordResets,
    wrong_code: TotpCode,
}

impl<'w> Guesser<'w> {
    async fn new(world: &'w World) -> Self {
        let (caller, factors) = (caller(world).await, SecondFactors::new(&world.context));
        factors.begin(&caller, &origin()).await.expect("an answer");
        let leaks = Leaks::new(&world.context, &world.validator, 1);
        // Right in three of a million steps.
        let resets = PasswordResets::new(&world.context);
        Self { world, caller, factors, leaks, resets, wrong_code: TotpCode::parse("000000").expect("an answer") }
    }

    /// Guesses once; how many seconds to wait, if told to.
    async fn guess(&self, limit: Refusal, from: &Origin) -> Option<i64> {
        let wait = match limit {
            Refusal::SignInLimited => {
                let wrong = "wrong wrong wrong".to_owned().into();
                match self.world.sessions.sign_in(EMAIL, wrong, None, from).await.expect_err("a refusal") {
                    SignInError::TooMany(wait) => Some(wait),
                    _ => None,
                }
            }
            Refusal::CodeLimited => {
                match self.factors.confirm(&self.caller, self.wrong_code, from).await.expect_err("a refusal") {
                    SecondFactorError::TooMany(wait) => Some(wait),
                    _ => None,
                }
            }
            Refusal::ServiceTokenLimited => match self.world.sessions.refuse_front_end(from).await {
                Err(SignInError::TooMany(wait)) => Some(wait),
                _ => None,
            },
            Refusal::ReportsLimited => match self.leaks.revoke_found(&[], from).await {
                Err(LeakError::TooMany(wait)) => Some(wait),
                _ => None,
            },
            Refusal::AddressCodesLimited => {
                let email = Email::parse("stranger@example.org").expect("an answer");
                // In a session of its own: their proofs are old after ten minutes.
                let caller = caller(self.world).await;
                match self.world.people.edit_me(&caller, None, Some(email), from).await {
                    Err(PersonError::TooMany(wait)) => Some(wait),
                    edited => edited.map(|_| None).expect("an answer"),
                }
            }
            Refusal::PasswordResetsLimited => {
                let email = Email::parse("stranger@example.org").expect("an answer");
                match self.resets.request(&email, from).await {
                    Err(ResetError::TooMany(wait)) => Some(wait),
                    requested => requested.map(|()| None).expect("an answer"),
                }
            }
            Refusal::InvitationsLimited => {
                // In a session of its own: sessions end after a day.
                let caller = caller(self.world).await;
                match invite(self.world, &caller, from).await {
                    Err(OrganizationError::TooMany(wait)) => Some(wait),
                    invited => invited.map(|()| None).expect("an answer"),
                }
            }
            other => panic!("{other:?} is no limit on guesses"),
        };
        wait.map(|wait| wait.retry_after.as_seconds())
    }
}

#[test]
fn no_limit_asks_for_a_longer_wait_than_documented_whatever_the_clock_does() {
    Db::each(async |db| {
        // That of secrets under way asks for one second, and ends with the first of them.
        let limits = Refusal::ALL.into_iter().filter(|refusal| refusal.action().ends_with(".limited"));
        for limit in limits.filter(|limit| *limit != Refusal::SecretsLimited) {
            let world = World::with(db, mailing()).await;
            let guesser = Guesser::new(&world).await;
            let from = Origin { client_ip: Some(ADDRESS.parse().unwrap()), ..origin() };
            let mut longest = 0;
            let tries = if limit == Refusal::InvitationsLimited { 140 } else { 60 };
            for _ in 0..tries {
                if let Some(wait) = guesser.guess(limit, &from).await {
                    assert!((1..=900).contains(&wait), "{limit:?}: {wait}");
                    longest = longest.max(wait);
                    world.clock.advance(Span::long_seconds(wait));
                }
            }
            assert_eq!(longest, 900, "{limit:?}");
            let back = world.context.now().as_micros() - 92_800_000_000;
            world.clock.set(Timestamp::from_micros(back));
            let wait = guesser.guess(limit, &from).await;
            assert!(wait.is_none_or(|wait| wait <= 900), "{limit:?}: {wait:?}");
            let elsewhere = Origin { client_ip: Some("198.51.100.1".parse().unwrap()), ..origin() };
            let held = guesser.guess(limit, &elsewhere).await;
            // These are the person's or the organisation's, wherever they are.
            let is_owners =
                matches!(limit, Refusal::CodeLimited | Refusal::AddressCodesLimited | Refusal::InvitationsLimited);
            assert_eq!(held.is_some(), is_owners, "{limit:?}: {held:?}");
        }
    });
}

#[test]
fn names_of_refusals_are_different_and_follow_one_form() {
    let mut names: Vec<&str> = Refusal::ALL.iter().map(|refusal| refusal.action()).collect();
    assert!(names.iter().all(|name| name.ends_with(".denied") || name.ends_with(".limited")), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Refusal::ALL.len());
}
