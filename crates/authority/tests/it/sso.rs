//! Single sign-on where time and simultaneity matter: how long an attempt counts, and how often.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use authority::mail::{Composed, Outbox};
use authority::operator::{Operator, Order, PersonAct};
use authority::password_resets::{PasswordResets, ResetError};
use authority::people::NewPassword;
use authority::sessions::{AuthError, Presented, Sessions, SignInError};
use authority::sso::{
    Answer, Authorization, Entered, Finding, IdentityProviders, Provider, Recency, Redeemed, Sso, SsoError,
};
use authority::trust::jwt::{Jwt, KeySet};
use authority::{Context, MailPolicy};
use futures::future::{join, join_all};
use serde_json::{Map, Value, json};
use test_issuer::Issuer;
use test_support::records::id;
use test_support::world::{Options, PASSWORD, SeededEntropy, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::id::UserId;
use token_domain::person::{BuiltInRole, RoleRef, SecondFactorRule};
use token_domain::record::{Membership, Organization, User, Verified};
use token_domain::text::{Email, Name, Slug};
use zeroize::Zeroizing;

const BOB: &str = "bob@example.org";
const CLIENT: &str = "tokens";

/// A provider without a network: it signs for whatever code a test names.
struct Inside {
    issuer: Issuer,
    codes: Mutex<HashMap<String, String>>,
}

impl IdentityProviders for Inside {
    fn authorization<'a>(&'a self, _: &'a Provider, _: &'a Context) -> Finding<'a, Authorization> {
        let endpoint = "https://login.example.org/authorize".to_owned();
        Box::pin(async { Some(Authorization { endpoint, names_issuer: false }) })
    }

    fn with_query(&self, _: &str, parameters: &[(&str, &str)]) -> String {
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
    }

    fn redeem<'a>(&'a self, _: &'a Provider, code: &'a str, _: &'a str, _: &'a Context) -> Finding<'a, Redeemed> {
        let token = self.codes.lock().unwrap().remove(code);
        Box::pin(async { token.map(|token| Redeemed { id_token: Zeroizing::new(token), access_token: None }) })
    }

    fn user_info<'a>(&'a self, _: &'a Provider, _: &'a str, _: &'a Context) -> Finding<'a, Map<String, Value>> {
        Box::pin(async { None })
    }

    fn keys<'a>(&'a self, _: &'a str, _: &'a Jwt, _: &'a Context) -> Finding<'a, Arc<KeySet>> {
        let keys = KeySet::read(&self.issuer.key_set()).unwrap();
        Box::pin(async { Some(Arc::new(keys)) })
    }
}

/// A sign-in under way.
struct Begun {
    cookie: String,
    state: String,
    nonce: String,
}

/// Whether the organisation refuses passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    Yes,
    No,
}

struct Ground {
    world: World,
    inside: Arc<Inside>,
    sso: Sso,
}

impl Ground {
    /// Where the organisation of the world has a provider.
    async fn new(db: &Db) -> Self {
        Self::with(db, Required::No).await
    }

    async fn with(db: &Db, required: Required) -> Self {
        let mut options = Options::default();
        options.policy.mail = Some(MailPolicy { links: "https://tokens.example.org".to_owned(), keep: Span::days(3) });
        let inside = Arc::new(Inside { issuer: Issuer::start(), codes: Mutex::default() });
        let provider = Provider {
            id: "corp".to_owned(),
            name: "Corp".to_owned(),
            issuer: inside.issuer.url.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: None,
            redirect_uri: "https://tokens.example.org/sign-in/sso/corp/callback".to_owned(),
            scopes: vec!["openid".to_owned()],
            required_claims: Vec::new(),
            domains: vec!["example.org".to_owned()],
            organization: Slug::parse("acme").unwrap(),
            default_role: Some(BuiltInRole::Member),
            groups_claim: "groups".to_owned(),
            roles: Vec::new(),
            is_required: required == Required::Yes,
        };
        options.policy.sso = vec![provider.trusted()];
        let world = World::with(db, options).await;
        let sessions = Arc::new(Sessions::new(&world.context, &world.validator).unwrap());
        let outside = Arc::clone(&inside) as Arc<dyn IdentityProviders>;
        let sso = Sso::new(&world.context, &sessions, vec![provider], outside);
        Self { world, inside, sso }
    }

    async fn begin(&self) -> Begun {
        let begun = self.sso.begin("corp", "/tokens", Recency::Any).await.unwrap();
        let told = |name: &str| {
            let line = begun.url.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap().to_owned()
        };
        Begun { state: told("state"), nonce: told("nonce"), cookie: begun.cookie.clone() }
    }

    /// Has the provider sign for a code in an attempt.
    fn grant(&self, code: &str, begun: &Begun, email: &str) {
        let now = self.world.context.now().as_micros() / 1_000_000;
        let subject = email.split('@').next().unwrap();
        let claims = json!({"iss": self.inside.issuer.url, "aud": CLIENT, "sub": subject, "nonce": begun.nonce,
            "iat": now, "exp": now + 300, "email": email, "email_verified": true});
        let token = self.inside.issuer.sign(&json!({"alg": "ES256", "kid": "first"}), &claims);
        self.inside.codes.lock().unwrap().insert(code.to_owned(), token);
    }

    async fn finish(&self, code: &str, begun: &Begun) -> Result<Entered, SsoError> {
        let answer = Answer { code: Some(code.to_owned()), state: Some(begun.state.clone()), ..Answer::default() };
        self.sso.finish("corp", Some(&begun.cookie), &answer, None, &origin()).await
    }

    async fn sign_in(&self, email: &str) -> Result<Entered, SsoError> {
        let begun = self.begin().await;
        self.grant("code", &begun, email);
        self.finish("code", &begun).await
    }

    async fn person(&self, email: &str) -> User {
        let key = email.to_owned();
        let store = self.world.context.store();
        let read = store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        read.await.unwrap().unwrap()
    }

    async fn join(&self, organization: &Organization, user: UserId, role: BuiltInRole) {
        let created_at = self.world.context.now();
        let (organization_id, role) = (organization.id, RoleRef::BuiltIn(role));
        let membership = Membership { organization_id, user_id: user, role, disabled_at: None, created_at };
        let store = self.world.context.store();
        store.write(move |tx| Box::pin(async move { tx.insert_membership(&membership).await })).await.unwrap();
    }

    /// Somebody with the password of the owner and a verified address, in no organisation.
    async fn add_person(&self, email: &str) -> User {
        let now = self.world.context.now();
        let user = User {
            id: id(9_001),
            name: Name::parse(email).unwrap(),
            email: Email::parse(email).unwrap(),
            verified: Some(Verified { at: now, by: None }),
            pending_email: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let (added, owner) = (user.clone(), self.world.owner.user_id().unwrap());
        let store = self.world.context.store();
        let written = store.write(move |tx| {
            Box::pin(async move {
                let hash = tx.account(owner).await?.and_then(|owner| owner.password_hash);
                tx.insert_user(&added, hash.as_deref()).await
            })
        });
        written.await.unwrap();
        user
    }

    async fn organization(&self) -> Organization {
        let id = self.world.owner.organization_id;
        let read = self.world.context.store().read(move |reads| Box::pin(reads.organization(id)));
        read.await.unwrap().unwrap()
    }
}

#[test]
fn an_attempt_counts_for_ten_minutes() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        for (seconds, counts) in [(599, true), (600, false)] {
            let begun = ground.begin().await;
            ground.world.clock.advance(Span::seconds(seconds));
            ground.grant("code", &begun, BOB);
            let finished = ground.finish("code", &begun).await;
            assert_eq!(finished.is_ok(), counts, "after {seconds} s: {finished:?}");
        }
    });
}

#[test]
fn of_answers_to_one_attempt_at_the_same_time_one_makes_a_session() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        ground.sign_in(BOB).await.unwrap();
        let begun = ground.begin().await;
        let codes: Vec<String> = (0..8).map(|number| format!("code{number}")).collect();
        for code in &codes {
            ground.grant(code, &begun, BOB);
        }
        let finished = join_all(codes.iter().map(|code| ground.finish(code, &begun))).await;
        let refused = |one: &Result<Entered, SsoError>| matches!(one, Err(SsoError::NoAttempt));
        assert_eq!(finished.iter().filter(|one| one.is_ok()).count(), 1, "{finished:?}");
        assert_eq!(finished.iter().filter(|one| refused(one)).count(), 7, "{finished:?}");
        // Neither does one later, as long as the attempt would count.
        ground.world.clock.advance(Span::seconds(590));
        ground.grant("late", &begun, BOB);
        assert!(refused(&ground.finish("late", &begun).await));
    });
}

#[test]
fn a_newcomer_who_signs_in_twice_at_the_same_time_gets_one_account() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let (one, two) = (ground.begin().await, ground.begin().await);
        ground.grant("one", &one, BOB);
        ground.grant("two", &two, BOB);
        let (one, two) = join(ground.finish("one", &one), ground.finish("two", &two)).await;
        for finished in [&one, &two] {
            let is_answer = matches!(finished, Ok(_) | Err(SsoError::NoAttempt | SsoError::Taken));
            assert!(is_answer, "an answer, and no failure: {finished:?}");
        }
        assert!(one.is_ok() || two.is_ok());
        let again = ground.sign_in(BOB).await.unwrap();
        assert_eq!(again.signed_in.session.user_id, ground.person(BOB).await.id);
    });
}

#[test]
fn a_second_factor_that_the_organisation_requires_is_asked_of_passwords() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let (organization, bob) = (ground.organization().await, ground.add_person(BOB).await);
        ground.join(&organization, bob.id, BuiltInRole::Member).await;
        let (id, now) = (organization.id, ground.world.context.now());
        let rule = SecondFactorRule::Required;
        let store = ground.world.context.store();
        let set = store.write(move |tx| Box::pin(async move { tx.set_second_factor_rule(id, rule, now).await }));
        set.await.unwrap();
        let sessions = &ground.world.sessions;
        let by_password = sessions.sign_in(BOB, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
        assert!(by_password.lacks_second_factor);
        let authenticated = sessions.authenticate(&Presented::Session(by_password.token), &origin()).await;
        assert!(matches!(authenticated, Err(AuthError::SecondFactorRequired)), "{authenticated:?}");
        let by_provider = ground.sign_in(BOB).await.unwrap().signed_in;
        assert!(!by_provider.lacks_second_factor);
        let caller = sessions.authenticate(&Presented::Session(by_provider.token), &origin()).await.unwrap();
        ground.world.people.edit_me(&caller, Some(Name::parse("Bob").unwrap()), None, &origin()).await.unwrap();
    });
}

#[test]
fn a_password_that_no_organisation_takes_is_not_reset() {
    Db::each(async |db| {
        let ground = Ground::with(db, Required::Yes).await;
        let (acme, bob) = (ground.organization().await, ground.add_person(BOB).await);
        ground.join(&acme, bob.id, BuiltInRole::Admin).await;
        let denied = ground.world.sessions.sign_in(BOB, PASSWORD.to_owned().into(), None, &origin()).await;
        assert!(matches!(denied, Err(SignInError::SsoRequired)), "{denied:?}");
        assert_eq!(mailed(&ground, BOB).await, None);
        ground.world.clock.advance(Span::seconds(3_600));
        // In another organisation it opens something again.
        let elsewhere = Organization { id: id(9_002), slug: Slug::parse("elsewhere").unwrap(), ..acme };
        let (id, made) = (elsewhere.id, elsewhere.clone());
        let store = ground.world.context.store();
        store.write(move |tx| Box::pin(async move { tx.insert_organization(&made).await })).await.unwrap();
        ground.join(&elsewhere, bob.id, BuiltInRole::Viewer).await;
        let code = mailed(&ground, BOB).await.unwrap();
        let left = store.write(move |tx| Box::pin(async move { tx.delete_membership(id, bob.id).await }));
        assert!(left.await.unwrap());
        let new = || NewPassword::new("some other words entirely".to_owned().into()).unwrap();
        let resets = PasswordResets::new(&ground.world.context);
        let confirmed = resets.confirm(&code, new(), &origin()).await;
        assert!(matches!(confirmed, Err(ResetError::InvalidCode)), "{confirmed:?}");
        ground.join(&elsewhere, bob.id, BuiltInRole::Viewer).await;
        resets.confirm(&code, new(), &origin()).await.unwrap();
    });
}

/// The code that a request for a new password has mailed.
async fn mailed(ground: &Ground, address: &str) -> Option<String> {
    let resets = PasswordResets::new(&ground.world.context);
    resets.request(&Email::parse(address).unwrap(), &origin()).await.unwrap();
    let sent = Mutex::new(Vec::new());
    let server = |mail: Composed| {
        sent.lock().unwrap().push(mail.text);
        async { Ok(()) }
    };
    Outbox::new(&ground.world.context).send_due(server).await.unwrap();
    let sent = sent.into_inner().unwrap();
    sent.iter().find_map(|text| text.find("nlr_").map(|begin| text[begin..begin + 68].to_owned()))
}

#[test]
fn an_operator_parts_a_person_from_the_provider() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let session = ground.sign_in(BOB).await.unwrap().signed_in.token;
        let email = Email::parse(BOB).unwrap();
        let order = |seed| {
            let entropy = SeededEntropy::new(seed);
            Order::for_person(&email, PersonAct::Unlink, ground.world.context.now(), &entropy).unwrap()
        };
        let operator = Operator::new(&ground.world.context);
        operator.carry_out(&order(7)).await.unwrap();
        let over = ground.world.sessions.authenticate(&Presented::Session(session), &origin()).await;
        assert!(matches!(over, Err(AuthError::Invalid)), "{over:?}");
        assert!(operator.carry_out(&order(8)).await.is_err(), "there is no link");
        let again = ground.sign_in(BOB).await.unwrap();
        assert_eq!(again.signed_in.session.user_id, ground.person(BOB).await.id, "linked again by the address");
    });
}
