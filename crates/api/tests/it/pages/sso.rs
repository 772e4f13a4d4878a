//! Single sign-on in a browser without scripts, at a provider that behaves, and at ones that do not.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use test_issuer::{CLIENT, Issuer, Manner, encode};
use token_domain::person::BuiltInRole;
use token_domain::record::Verified;
use url::Url;

use super::browser::Browser;
use crate::support::{Answer, Backend, Options, Request, Server, both, now};

both!(
    a_newcomer_gets_an_account_and_comes_back_as_the_same_person,
    a_member_is_linked_by_an_address_that_is_vouched_for,
    claims_beside_the_identity_token_are_read_and_are_of_the_same_person,
    a_person_who_was_removed_or_disabled_does_not_come_back_through_the_provider,
    what_a_provider_says_is_not_believed_beyond_what_it_proves,
    a_claim_that_is_required_has_to_be_in_the_signed_token,
    an_answer_counts_for_its_browser_its_provider_and_once,
    groups_decide_the_role_at_each_sign_in_and_the_last_owner_stays,
    the_provider_of_one_organisation_opens_no_other,
    where_single_sign_on_is_required_passwords_are_for_owners_alone,
    another_sign_in_at_the_provider_is_a_proof,
    a_provider_that_cannot_be_reached_is_named_in_a_sentence,
    a_provider_that_promises_to_name_itself_has_to,
    any_node_finishes_a_sign_in_and_only_one_does,
);

const ANN: &str = "ann@acme.example";

struct Ground {
    server: Server,
    issuer: Issuer,
    file: NamedTempFile,
}

/// A sign-in that a browser began: what the provider is told.
struct Attempt {
    browser: Browser,
    state: String,
    nonce: String,
    challenge: String,
}

impl Ground {
    fn start(backend: Backend, more: &str) -> Self {
        Self::with(backend, "127.0.0.0/8", more)
    }

    fn with(backend: Backend, networks: &str, more: &str) -> Self {
        let issuer = Issuer::start();
        issuer.tell(json!({"sub": "ann"}));
        let (client, secret) = CLIENT.split_once(':').unwrap();
        let mut file = NamedTempFile::new().unwrap();
        write!(
            file,
            "[[provider]]\nid = \"corp\"\nname = \"Corp\"\nissuer = \"{}\"\nclient_id = \"{client}\"\n\
             client_secret = \"{secret}\"\ndomains = [\"acme.example\"]\norganization = \"{}\"\n{more}\n",
            issuer.url,
            Server::ORGANIZATION
        )
        .unwrap();
        let options = Options::default()
            .with("server.public_url", "https://it")
            .with("outbound.allowed_networks", networks)
            .with("sso.file", file.path().display());
        Self { server: Server::start(backend, options), issuer, file }
    }

    fn begin(&self) -> Attempt {
        self.begin_in(Browser::new(&self.server), "/sign-in/sso/corp?next=/tokens")
    }

    fn begin_in(&self, mut browser: Browser, path: &str) -> Attempt {
        let answer = browser.get(path);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let url = Url::parse(answer.header("location").unwrap()).unwrap();
        let told = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert!(url.as_str().starts_with(&format!("{}/authorize?tenant=1&", self.issuer.url)), "{url}");
        assert_eq!(told("redirect_uri"), "https://it/sign-in/sso/corp/callback");
        assert_eq!((told("response_type"), told("code_challenge_method")), ("code".to_owned(), "S256".to_owned()));
        assert!(told("scope").split(' ').any(|scope| scope == "openid"));
        Attempt { browser, state: told("state"), nonce: told("nonce"), challenge: told("code_challenge") }
    }

    /// A whole sign-in with these claims.
    fn sign_in(&self, changes: &Value) -> (Attempt, Answer) {
        let mut attempt = self.begin();
        let token = self.issuer.token(&claims(&attempt, changes));
        let answer = self.bring(&mut attempt, "a-code", &token);
        (attempt, answer)
    }

    /// The token of the session that a whole sign-in with these claims makes.
    fn session(&self, changes: &Value) -> String {
        let (attempt, answer) = self.sign_in(changes);
        entered(&answer);
        attempt.browser.session()
    }

    /// The events of an action in the organisation's trail.
    fn events(&self, action: &str) -> Vec<Value> {
        let found = self.server.owner().get(&format!("/v1/audit?action={action}")).expect(200);
        found["events"].as_array().unwrap().clone()
    }

    /// The browser comes back with a code that is good for the token.
    fn bring(&self, attempt: &mut Attempt, code: &str, token: &str) -> Answer {
        self.issuer.grant(code, &attempt.challenge, token);
        let path = format!("/sign-in/sso/corp/callback?code={code}&state={}", attempt.state);
        attempt.browser.get(&path)
    }
}

/// The claims about Ann for an attempt, changed as given: `null` takes one away.
fn claims(attempt: &Attempt, changes: &Value) -> Value {
    let (client, _) = CLIENT.split_once(':').unwrap();
    let mut claims = json!({
        "aud": client, "sub": "ann", "nonce": attempt.nonce, "email": ANN, "email_verified": true, "name": "Ann",
        "groups": [], "jti": null, "repository_id": null, "ref": null, "event_name": null,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// The deployment vouches for an address.
fn deployment() -> Verified {
    Verified { at: now(), by: None }
}

#[track_caller]
fn entered(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, Some("/tokens")), "{}", answer.text());
}

#[track_caller]
fn refused(answer: &Answer, why: &str, text: &str) {
    assert!((400..=502).contains(&answer.status), "{why}: {} {:?}", answer.status, answer.header("location"));
    assert!(answer.text().contains(text), "{why}: {}", answer.text());
    let is_session = |(name, value): &(String, String)| name == "set-cookie" && value.starts_with("__Host-nls=nls");
    assert!(!answer.headers.iter().any(is_session), "{why}");
}

fn a_newcomer_gets_an_account_and_comes_back_as_the_same_person(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"");
    assert!(Browser::new(&ground.server).page("/sign-in?next=/tokens").contains("Sign in with Corp"));
    let (mut ann, answer) = ground.sign_in(&json!({}));
    entered(&answer);
    let settings = ann.browser.page("/settings");
    assert!(settings.contains(ANN) && settings.contains("<small>with Corp</small>"), "{settings}");
    assert!(!ann.browser.cookies.contains_key("__Host-nls-attempt"), "good once");
    let before = ground.server.facts().user(ANN);
    let organization = ground.server.facts().organization(Server::ORGANIZATION).id;
    assert_eq!(before.verified.unwrap().by, Some(organization), "for this organisation alone");
    // The same subject under another address is the same person; under the same address another subject is not.
    entered(&ground.sign_in(&json!({"email": "new@acme.example"})).1);
    assert_eq!(ground.server.facts().user(ANN), before);
    refused(&ground.sign_in(&json!({"sub": "another"})).1, "another subject", "cannot be linked to Corp");
    let made = ground.events("session.create");
    assert_eq!(made.iter().filter(|event| event["detail"]["provider"] == "corp").count(), 2, "{made:?}");
    for action in ["user.identity.link", "member.add"] {
        let found = ground.events(action);
        assert!(matches!(&found[..], [one] if one["detail"]["provider"] == "corp"), "{action}: {found:?}");
    }
}

fn a_member_is_linked_by_an_address_that_is_vouched_for(backend: Backend) {
    let ground = Ground::start(backend, "");
    refused(&ground.sign_in(&json!({})).1, "nobody is made without a default role", "You are not a member");
    let facts = ground.server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let here = facts.organization(Server::ORGANIZATION).id;
    let ann = facts.add_member(ANN, BuiltInRole::Viewer);
    for (verified, why) in [
        (None, "whoever made the account for the address may still have its password"),
        (Some(Verified { at: now(), by: Some(elsewhere) }), "another organisation's word"),
        (Some(Verified { at: now(), by: Some(here) }), "an administrator may have invited the address and accepted"),
    ] {
        facts.set_verified(ANN, verified);
        refused(&ground.sign_in(&json!({})).1, why, "cannot be linked to Corp");
    }
    facts.set_verified(ANN, Some(deployment()));
    let (mut browser, answer) = ground.sign_in(&json!({"groups": ["anything"]}));
    entered(&answer);
    assert!(browser.browser.page("/settings").contains(ANN));
    let linked = ground.events("user.identity.link");
    assert!(matches!(&linked[..], [one] if one["target_id"] == ann.id.to_string().as_str()), "{linked:?}");
    // Somebody with an account and no place in the organisation needs an invitation, whoever vouches for the address.
    facts.add_person("bob@acme.example");
    facts.set_verified("bob@acme.example", Some(deployment()));
    let bob = json!({"sub": "bob", "email": "bob@acme.example"});
    refused(&ground.sign_in(&bob).1, "no member", "You are not a member");
}

fn claims_beside_the_identity_token_are_read_and_are_of_the_same_person(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"viewer\"\n[provider.roles]\nadmin = [\"platform\"]");
    let bare = json!({"email": null, "email_verified": null, "groups": null, "name": null});
    let whole = json!({"sub": "ann", "email": ANN, "email_verified": true, "name": "Ann A.", "groups": ["platform"]});
    ground.issuer.tell(Value::Null);
    refused(&ground.sign_in(&bare).1, "they cannot be had", "cannot be reached");
    let mut of_another = whole.clone();
    of_another["sub"] = json!("bob");
    ground.issuer.tell(of_another);
    refused(&ground.sign_in(&bare).1, "they are of somebody else", "cannot be believed");
    let mut unverified = whole.clone();
    unverified["email_verified"] = json!(false);
    ground.issuer.tell(unverified);
    refused(&ground.sign_in(&bare).1, "an address that is not verified", "no verified e-mail address");
    ground.issuer.tell(whole.clone());
    let signed = json!({"email": ANN, "email_verified": false, "groups": null});
    refused(&ground.sign_in(&signed).1, "what is signed goes first", "no verified e-mail address");
    let mut elsewhere = whole.clone();
    elsewhere["email"] = json!("ann@evil.example");
    ground.issuer.tell(elsewhere);
    let mixed = json!({"email": "boss@acme.example", "email_verified": null});
    refused(&ground.sign_in(&mixed).1, "one address, and a word about another", "no verified e-mail address");
    ground.issuer.tell(whole.clone());
    let session = ground.session(&bare);
    let me = ground.server.caller(&session).get("/v1/me").expect(200);
    assert_eq!((&me["role"], &me["name"], &me["email"]), (&json!("admin"), &json!("Ann A."), &json!(ANN)));
}

fn a_person_who_was_removed_or_disabled_does_not_come_back_through_the_provider(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"");
    entered(&ground.sign_in(&json!({})).1);
    let ann = ground.server.facts().user(ANN);
    let path = format!("/v1/organizations/{}/members/{}", Server::ORGANIZATION, ann.id);
    let organization = ground.server.facts().organization(Server::ORGANIZATION).id;
    let path = path.replace(Server::ORGANIZATION, &organization.to_string());
    ground.server.owner().patch(&path, &json!({"status": "disabled"})).expect(200);
    refused(&ground.sign_in(&json!({})).1, "disabled here", "is switched off");
    ground.server.owner().patch(&path, &json!({"status": "active"})).expect(200);
    entered(&ground.sign_in(&json!({})).1);
    assert_eq!(ground.server.owner().delete(&path).status, 204);
    refused(&ground.sign_in(&json!({})).1, "removed", "You are not a member");
    let denied = ground.events("sso.denied");
    assert!(denied.iter().all(|event| event["target_id"] == ann.id.to_string().as_str()), "{denied:?}");
    assert_eq!(denied.len(), 2, "the organisation sees who tries: {denied:?}");
    refused(&ground.sign_in(&json!({"sub": "ann2"})).1, "removed, by another subject", "You are not a member");
    // Known again as soon as an administrator takes them back.
    ground.server.facts().join(organization, &ann, BuiltInRole::Viewer);
    entered(&ground.sign_in(&json!({})).1);
    ground.server.facts().disable(&ann);
    refused(&ground.sign_in(&json!({})).1, "disabled everywhere", "is switched off");
    assert_eq!(ground.events("user.identity.link").len(), 1);
}

fn what_a_provider_says_is_not_believed_beyond_what_it_proves(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"");
    let now = test_issuer::now();
    let doubt = "cannot be believed";
    let rows = [
        ("the nonce of another sign-in", json!({"nonce": "n"}), doubt),
        ("no nonce", json!({"nonce": null}), doubt),
        ("another client", json!({"aud": "somebody"}), doubt),
        ("several clients", json!({"aud": ["tokens", "somebody"]}), doubt),
        ("no client", json!({"aud": null}), doubt),
        ("made for another party", json!({"azp": "somebody"}), doubt),
        ("another issuer", json!({"iss": "https://example.org"}), doubt),
        ("expired", json!({"iat": now - 300, "exp": now - 60}), doubt),
        ("without an end", json!({"exp": null}), doubt),
        ("without a beginning", json!({"iat": null}), doubt),
        ("made long ago", json!({"iat": now - 700}), doubt),
        ("not valid yet", json!({"nbf": now + 600}), doubt),
        ("no subject", json!({"sub": null}), doubt),
        ("an empty subject", json!({"sub": ""}), doubt),
        ("a subject that is too long", json!({"sub": "s".repeat(256)}), doubt),
        ("a subject with a NUL", json!({"sub": "ann\0"}), doubt),
        ("an address that is not verified", json!({"email_verified": false}), "no verified e-mail address"),
        ("a word for true", json!({"email_verified": "true"}), "no verified e-mail address"),
        ("no word about the address", json!({"email_verified": null}), "no verified e-mail address"),
        ("another domain", json!({"email": "ann@evil.example"}), "no verified e-mail address"),
        ("a domain below", json!({"email": "ann@x.acme.example"}), "no verified e-mail address"),
        ("a domain that ends alike", json!({"email": "ann@notacme.example"}), "no verified e-mail address"),
        ("two signs", json!({"email": "ann@evil.example@acme.example"}), "no verified e-mail address"),
    ];
    for (why, changes, text) in rows {
        refused(&ground.sign_in(&changes).1, why, text);
    }
    let other = Issuer::start();
    let key = json!({"alg": "HS256", "kid": "first"});
    let forged = [
        ("alg none", json!({"alg": "none"}), None),
        ("a shared secret", key, None),
        ("another key of the same name", json!({"alg": "ES256", "kid": "first"}), Some(&other)),
        ("a key that is not known", json!({"alg": "ES256", "kid": "unknown"}), None),
        ("another algorithm than the key's", json!({"alg": "RS256", "kid": "first"}), None),
        ("an access token", json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}), None),
    ];
    for (why, header, signer) in forged {
        let mut attempt = ground.begin();
        let claims = ground.issuer.claims(&claims(&attempt, &json!({})));
        let signed = signer.unwrap_or(&ground.issuer).sign(&header, &claims);
        let unsigned = format!("{}.{}.", encode(&header), encode(&claims));
        let token = if header["alg"] == "none" { unsigned } else { signed };
        refused(&ground.bring(&mut attempt, "a-code", &token), why, doubt);
    }
    ground.server.says(&["a sign-in by a provider was refused", "was made for another sign-in"]);
    assert!(ground.events("session.create").iter().all(|event| event["detail"]["provider"].is_null()));
    entered(&ground.sign_in(&json!({})).1);
}

fn a_claim_that_is_required_has_to_be_in_the_signed_token(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"\nrequire = { hd = \"acme.example\", staff = true }");
    let outside = "is not one of those that are permitted here";
    ground
        .issuer
        .tell(json!({"sub": "ann", "email": ANN, "email_verified": true, "hd": "acme.example", "staff": true}));
    for (why, changes) in [
        ("no claim", json!({})),
        ("another value", json!({"hd": "evil.example", "staff": true})),
        ("one of two", json!({"hd": "acme.example"})),
        ("another type", json!({"hd": "acme.example", "staff": "true"})),
        ("beside the token alone", json!({"email": null})),
    ] {
        refused(&ground.sign_in(&changes).1, why, outside);
    }
    let whole = json!({"hd": "acme.example", "staff": true});
    entered(&ground.sign_in(&whole).1);
    refused(&ground.sign_in(&json!({})).1, "somebody who is linked", outside);
}

fn an_answer_counts_for_its_browser_its_provider_and_once(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"");
    let again = "was not begun in this browser";
    let mut attempt = ground.begin();
    let first = claims(&attempt, &json!({}));
    ground.issuer.grant("a-code", &attempt.challenge, &ground.issuer.token(&first));
    let path = format!("/sign-in/sso/corp/callback?code=a-code&state={}", attempt.state);
    refused(&Browser::new(&ground.server).get(&path), "a browser that began nothing", again);
    refused(&ground.begin().browser.get(&path), "a browser that began another", again);
    let cookie = attempt.browser.cookies["__Host-nls-attempt"].clone();
    entered(&attempt.browser.get(&path));
    refused(&attempt.browser.get(&path), "sent again", again);
    attempt.browser.cookies.insert("__Host-nls-attempt".to_owned(), cookie.clone());
    refused(&attempt.browser.get(&path), "with a kept cookie", again);
    let mut failed = ground.begin();
    let kept = failed.browser.cookies["__Host-nls-attempt"].clone();
    let invented = format!("/sign-in/sso/corp/callback?code=invented&state={}", failed.state);
    refused(&failed.browser.get(&invented), "a code that is none", "did not complete the sign-in");
    let asked = ground.issuer.asked();
    failed.browser.cookies.insert("__Host-nls-attempt".to_owned(), kept);
    refused(&failed.browser.get(&invented), "a second code in the same attempt", again);
    assert_eq!(ground.issuer.asked(), asked, "the provider was not asked again");
    ground.issuer.grant("another", &attempt.challenge, &ground.issuer.token(&first));
    attempt.browser.cookies.insert("__Host-nls-attempt".to_owned(), cookie);
    let fresh = path.replace("a-code", "another");
    refused(&attempt.browser.get(&fresh), "with a kept cookie, and another code", again);
    // A changed cookie, and an answer that names another issuer.
    for (from, to) in [("corp", "corq"), ("any", "now"), ("%2Ftokens", "%2Fprojects")] {
        let mut attempt = ground.begin();
        let kept = attempt.browser.cookies["__Host-nls-attempt"].clone();
        let changed = kept.replacen(from, to, 1);
        assert_ne!(kept, changed);
        attempt.browser.cookies.insert("__Host-nls-attempt".to_owned(), changed);
        let path = format!("/sign-in/sso/corp/callback?code=b-code&state={}", attempt.state);
        refused(&attempt.browser.get(&path), "a changed cookie", again);
    }
    let mut attempt = ground.begin();
    let path = format!("/sign-in/sso/corp/callback?code=b-code&state={}", attempt.state);
    let mixed = attempt.browser.get(&format!("{path}&iss=https%3A%2F%2Fexample.org"));
    refused(&mixed, "the answer of another issuer", "cannot be believed");
    for (error, text) in [
        ("access_denied", "Corp did not sign you in: you declined there"),
        ("%3Cscript%3E", "refuses the request of this service (an unknown error)"),
    ] {
        let mut attempt = ground.begin();
        let declined = format!("/sign-in/sso/corp/callback?error={error}&state={}", attempt.state);
        let answer = attempt.browser.get(&declined);
        refused(&answer, error, text);
        assert!(!answer.text().contains("<script>"), "{}", answer.text());
    }
    assert_eq!(Browser::new(&ground.server).get("/sign-in/sso/nobody").status, 404);
    let elsewhere = ground.begin_in(Browser::new(&ground.server), "/sign-in/sso/corp?next=https://evil.example");
    let mut elsewhere = elsewhere;
    let token = ground.issuer.token(&claims(&elsewhere, &json!({})));
    let answer = ground.bring(&mut elsewhere, "c-code", &token);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?after=sign-in")));
}

fn groups_decide_the_role_at_each_sign_in_and_the_last_owner_stays(backend: Backend) {
    let ground = Ground::start(
        backend,
        "default_role = \"viewer\"\n[provider.roles]\nadmin = [\"platform\"]\nmember = [\"staff\", \"guests\"]",
    );
    let role = |groups: Value, expected: &str| {
        let session = ground.session(&json!({"groups": groups}));
        let me = ground.server.caller(&session).get("/v1/me").expect(200);
        assert_eq!(me["role"], expected);
        session
    };
    let admin = role(json!(["staff", "platform"]), "admin");
    let made = ground.server.caller(&admin).post("/v1/me/keys", &json!({"name": "k", "scopes": ["roles:write"]}));
    let key = made.expect(201)["secret"].as_str().unwrap().to_owned();
    let validate = json!({"token": key, "required_scopes": ["roles:write"]});
    ground.server.anyone().post("/v1/auth/validate", &validate).expect(200);
    role(json!("guests"), "member");
    assert_eq!(ground.server.anyone().post("/v1/auth/validate", &validate).status, 403, "the key does less at once");
    assert_eq!(ground.server.caller(&admin).get("/v1/me").expect(200)["role"], "member", "and so does the old session");
    role(json!([]), "viewer");
    role(json!({"platform": true}), "viewer");
    let changes: Vec<_> = ground.events("member.role").iter().map(|event| event["detail"]["to"].clone()).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
    // The owner of the organisation, whose groups give less.
    let owner = ground.server.facts().user(Server::OWNER);
    ground.server.facts().set_verified(Server::OWNER, Some(deployment()));
    let changes = json!({"sub": "owner", "email": Server::OWNER, "groups": []});
    let session = ground.session(&changes);
    assert_eq!(ground.server.caller(&session).get("/v1/me").expect(200)["role"], "owner");
    assert_eq!(owner.id, ground.server.facts().user(Server::OWNER).id);
}

fn the_provider_of_one_organisation_opens_no_other(backend: Backend) {
    let ground = Ground::start(backend, "");
    let facts = ground.server.facts();
    let ann = facts.add_member(ANN, BuiltInRole::Admin);
    facts.set_verified(ANN, Some(deployment()));
    let elsewhere_id = facts.add_organization("elsewhere");
    let elsewhere = elsewhere_id;
    facts.join(elsewhere, &ann, BuiltInRole::Owner);
    let session = ground.session(&json!({"auth_time": test_issuer::now()}));
    let by_password = ground.server.signed_in(ANN).credential().to_owned();
    let mut caller = ground.server.caller(&session);
    let elsewhere = elsewhere.to_string();
    let code = "nle_".to_owned() + &"0".repeat(64);
    let of_one = "session of one organization";
    caller.post("/v1/sessions/switch", &json!({"organization": elsewhere})).fails(403, of_one);
    caller.post("/v1/sessions/switch", &json!({"organization": "nowhere"})).fails(403, of_one);
    caller.patch("/v1/me", &json!({"email": "mine@evil.example"})).fails(403, of_one);
    caller.patch("/v1/me", &json!({"name": "Somebody Trusted There"})).fails(403, of_one);
    let muted = json!({"token_expiring": false, "token_new_address": false});
    caller.ask(Request::new("PUT", "/v1/me/notices").json(&muted)).fails(403, of_one);
    caller.post("/v1/me/email", &json!({"code": code})).fails(403, of_one);
    let changed = json!({"current_password": Server::PASSWORD, "new_password": "some other words entirely 9"});
    caller.post("/v1/me/password", &changed).fails(403, of_one);
    caller.post("/v1/me/totp", &json!({})).fails(403, of_one);
    caller.post("/v1/organizations", &json!({"slug": "third"})).fails(403, of_one);
    let other = facts.add_person("other@elsewhere.example");
    facts.join(elsewhere_id, &other, BuiltInRole::Member);
    let here = facts.organization(Server::ORGANIZATION).id;
    let members = format!("/v1/organizations/{here}/members");
    let by_address = json!({"email": "other@elsewhere.example", "role": "member"});
    let by_id = json!({"user_id": other.id.to_string(), "role": "member"});
    let stranger = json!({"user_id": "018f2f3e-4c5d-7a6b-8c7d-9e0f1a2b3c4d", "role": "member"});
    let [known, unknown] = [&by_id, &stranger].map(|whom| caller.post(&members, whom));
    assert_eq!((known.status, known.json()["error"].clone()), (unknown.status, unknown.json()["error"].clone()));
    assert_ne!(known.status, 201, "{}", known.text());
    caller.post(&members, &by_address).expect(201);
    assert!(!facts.is_member(here, &other), "invited, and not added");
    let listed = caller.get("/v1/organizations").expect(200);
    assert_eq!(listed["organizations"].as_array().unwrap().len(), 1, "{listed}");
    // Sessions elsewhere are not there for it, and go on.
    let mut there = ground.server.caller(&by_password);
    let switched = there.post("/v1/sessions/switch", &json!({"organization": elsewhere})).expect(201);
    let [other, other_id] = crate::support::texts(&switched, ["token", "id"]);
    let listed = caller.get("/v1/sessions").expect(200);
    let listed: Vec<_> = listed["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(caller.delete(&format!("/v1/sessions/{other_id}")).status, 404);
    assert_eq!(caller.delete("/v1/sessions").status, 204);
    ground.server.caller(&other).get("/v1/me").expect(200);
    assert_eq!(ground.server.caller(&by_password).get("/v1/me").status, 401, "but those in the same organisation end");
    // The page says it in a sentence, and does not offer what would be refused.
    let mut browser = Browser::new(&ground.server);
    browser.cookies.insert("__Host-nls".to_owned(), ground.session(&json!({"auth_time": test_issuer::now()})));
    let settings = browser.page("/settings");
    assert!(settings.contains("It counts for this organisation alone"), "{settings}");
    assert!(!settings.contains("new_password") && !settings.contains("/settings/email"), "{settings}");
    let answer = browser.submit("/settings", &[("what", "switch"), ("to", &elsewhere)]);
    refused(&answer, "another organisation", "counts for this organisation alone");
}

fn where_single_sign_on_is_required_passwords_are_for_owners_alone(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"\nrequired = true");
    let facts = ground.server.facts();
    let ann = facts.add_member(ANN, BuiltInRole::Admin);
    let required = "single sign-on required";
    let sign_in = |email: &str, password: &str, organization: &str| {
        let body = json!({"email": email, "password": password, "organization": organization});
        ground.server.anyone().post("/v1/sessions", &body)
    };
    let here = Server::ORGANIZATION;
    sign_in(ANN, Server::PASSWORD, here).fails(401, required);
    sign_in(ANN, "not the password at all", here).fails(401, "invalid credentials");
    let denied = ground.events("session.create.denied");
    assert!(
        matches!(&denied[..], [one] if one["detail"]["reason"] == required),
        "a right password is seen: {denied:?}"
    );
    sign_in(Server::OWNER, Server::PASSWORD, here).expect(201);
    let mut browser = Browser::new(&ground.server);
    let answer = browser.sign_in(ANN, Server::PASSWORD);
    refused(&answer, "a password on the page", "asks its members to sign in with its own account");
    // Neither by another organisation that takes the password.
    let elsewhere = facts.add_organization("elsewhere");
    facts.join(elsewhere, &ann, BuiltInRole::Owner);
    let there = sign_in(ANN, Server::PASSWORD, "elsewhere").expect(201);
    let mut there = ground.server.caller(there["token"].as_str().unwrap());
    there.post("/v1/sessions/switch", &json!({"organization": here})).fails(401, required);
    // A session by a password from before is over as well.
    let kept = facts.add_session_ending(&ann, 600);
    assert_eq!(ground.server.caller(&kept).get("/v1/me").status, 401);
    facts.set_verified(ANN, Some(deployment()));
    let session = ground.session(&json!({}));
    let mut ann = ground.server.caller(&session);
    ann.get("/v1/me").expect(200);
    ann.post("/v1/sessions/current/proof", &json!({"password": Server::PASSWORD})).fails(403, required);
}

fn another_sign_in_at_the_provider_is_a_proof(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"\nrequired = true");
    let now = test_issuer::now();
    // Signed in there an hour ago: no proof, so other sessions stay.
    let first = ground.session(&json!({"auth_time": now - 3_600}));
    let second = ground.session(&json!({}));
    let mut caller = ground.server.caller(&first);
    caller.delete("/v1/sessions").fails(403, "recent proof needed");
    let mut browser = Browser::new(&ground.server);
    browser.cookies.insert("__Host-nls".to_owned(), first.clone());
    let asked = browser.submit("/settings", &[("what", "end-sessions")]);
    assert_eq!((asked.status, asked.header("location")), (303, Some("/settings/proof?next=%2Fsettings")));
    let page = browser.page("/settings/proof?next=%2Fsettings");
    assert!(!page.contains("name=\"password\""), "the organisation takes none: {page}");
    let link = page.split("href=\"").find(|part| part.starts_with("/sign-in/sso/")).unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    assert!(link.contains("fresh=1"), "{link}");
    for (time, why) in
        [(json!(null), "no word"), (json!(now - 3_600), "an old proof"), (json!(now + 600), "a later one")]
    {
        let mut attempt = ground.begin_in(Browser::new(&ground.server), &link);
        let token = ground.issuer.token(&claims(&attempt, &json!({"auth_time": time})));
        refused(&ground.bring(&mut attempt, "a-code", &token), why, "did not ask you to sign in again");
    }
    let answer = browser.get(&link);
    let asked = answer.header("location").unwrap().to_owned();
    assert!(asked.contains("prompt=login") && asked.contains("max_age=0"), "{asked}");
    let mut attempt = ground.begin_in(browser, &link);
    let claims = claims(&attempt, &json!({"auth_time": test_issuer::now()}));
    let answer = ground.bring(&mut attempt, "a-code", &ground.issuer.token(&claims));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/settings")), "{}", answer.text());
    assert_eq!(ground.server.caller(&first).get("/v1/me").status, 401, "the session before was replaced");
    ground.server.caller(&second).get("/v1/me").expect(200);
    let ended = attempt.browser.submit("/settings", &[("what", "end-sessions")]);
    assert_eq!(ended.status, 303, "{}", ended.text());
    assert_eq!(ground.server.caller(&second).get("/v1/me").status, 401);
}

fn a_provider_that_cannot_be_reached_is_named_in_a_sentence(backend: Backend) {
    for (manner, why) in [
        (Manner::Fails, "an error"),
        (Manner::Redirects("http://127.0.0.1:9/".to_owned()), "a redirect"),
        (Manner::SomebodyElse, "the description of another issuer"),
        (Manner::Keys(10_000_000), "a key set of 10 MB"),
    ] {
        let ground = Ground::start(backend, "");
        ground.issuer.behave(manner);
        let answer = Browser::new(&ground.server).get("/sign-in/sso/corp");
        refused(&answer, why, "Corp cannot be reached at the moment");
    }
    let ground = Ground::with(backend, "10.0.0.0/8", "");
    let answer = Browser::new(&ground.server).get("/sign-in/sso/corp");
    refused(&answer, "a private address", "Corp cannot be reached at the moment");
    assert_eq!(ground.issuer.asked(), 0, "no connection to an address that is not allowed");
}

fn a_provider_that_promises_to_name_itself_has_to(backend: Backend) {
    let ground = Ground::start(backend, "default_role = \"member\"");
    ground.issuer.behave(Manner::NamesIssuer);
    refused(&ground.sign_in(&json!({})).1, "an answer without an issuer", "cannot be believed");
    let mut attempt = ground.begin();
    let token = ground.issuer.token(&claims(&attempt, &json!({})));
    ground.issuer.grant("a-code", &attempt.challenge, &token);
    let issuer = super::browser::encoded(&ground.issuer.url);
    let path = format!("/sign-in/sso/corp/callback?code=a-code&state={}&iss={issuer}", attempt.state);
    entered(&attempt.browser.get(&path));
}

fn any_node_finishes_a_sign_in_and_only_one_does(backend: Backend) {
    if backend == Backend::Sqlite {
        // One process has the file.
        return;
    }
    let ground = Ground::start(backend, "default_role = \"member\"");
    let options = Options::default()
        .with("server.public_url", "https://it")
        .with("outbound.allowed_networks", "127.0.0.0/8")
        .with("sso.file", ground.file.path().display());
    let other = ground.server.beside(options);
    let attempt = ground.begin();
    let token = ground.issuer.token(&claims(&attempt, &json!({})));
    let cookie = attempt.browser.cookies["__Host-nls-attempt"].clone();
    let answers = std::thread::scope(|scope| {
        let begun = ["one", "two"].into_iter().zip([&ground.server, &other]).map(|(code, server)| {
            ground.issuer.grant(code, &attempt.challenge, &token);
            let (path, cookie) =
                (format!("/sign-in/sso/corp/callback?code={code}&state={}", attempt.state), cookie.clone());
            scope.spawn(move || {
                let mut browser = Browser::new(server);
                browser.cookies.insert("__Host-nls-attempt".to_owned(), cookie);
                browser.get(&path).status
            })
        });
        let begun: Vec<_> = begun.collect();
        let mut ended: Vec<_> = begun.into_iter().map(|one| one.join().unwrap()).collect();
        ended.sort_unstable();
        ended
    });
    assert_eq!(answers, [303, 400], "one of two nodes makes the session, though the provider took both codes");
}
