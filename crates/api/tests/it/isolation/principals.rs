//! Who asks: nobody, credentials that are none any more, each role here and elsewhere, and tokens of each scope.

use std::collections::BTreeSet;

use serde_json::json;
use token_domain::person::BuiltInRole;

use super::side::{Side, email};
use crate::support::{Client, Request, Server, eventually, later, texts};

/// What a principal shows.
#[derive(Clone, Debug)]
pub(super) enum Shows {
    /// No credential.
    Nothing,
    /// A text that is not good, or no longer.
    Dead(String),
    /// Whatever session the person of this address opens next.
    Session(String),
    /// A token that stays good.
    Token(String),
}

/// Where a principal belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// The organisation that set-up made.
    Here,
    /// The other one.
    Elsewhere,
    /// None.
    Nowhere,
}

/// One who asks.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub(super) name: String,
    pub(super) home: Home,
    pub(super) shows: Shows,
    /// What it was given, by name.
    pub(super) granted: Vec<String>,
    /// Whether it is bound to its side's project.
    pub(super) is_bound: bool,
    /// Whether it is an actor of one access scope of that project, in which nothing else is.
    pub(super) is_confined: bool,
}

impl Principal {
    fn new(name: impl Into<String>, home: Home, shows: Shows) -> Self {
        Self { name: name.into(), home, shows, granted: Vec::new(), is_bound: false, is_confined: false }
    }

    /// Whether a person is behind it.
    pub(super) fn email(&self) -> Option<&str> {
        match &self.shows {
            Shows::Session(email) => Some(email),
            Shows::Nothing | Shows::Dead(_) | Shows::Token(_) => None,
        }
    }
}

/// Puts a credential into a request, by one of the three ways there are to show a token.
pub(super) fn shown<'a>(request: Request<'a>, credential: Option<&str>, way: usize) -> Request<'a> {
    match (credential, way % 3) {
        (None, _) => request,
        (Some(text), 0) => request.bearer(text),
        (Some(text), 1) if text.starts_with("nlp_") => request.header("X-API-Key", text),
        (Some(text), 2) if text.starts_with("nlp_") => request.header("Authorization", format!("api-key {text}")),
        (Some(text), _) => request.header("authorization", format!("bearer {text}")),
    }
}

/// Everybody.
pub(super) fn all(
    server: &Server,
    here: &mut Side,
    elsewhere: &mut Side,
    scopes: &BTreeSet<String>,
    of_actors: &[String],
) -> Vec<Principal> {
    let mut all = vec![Principal::new("anonymous", Home::Nowhere, Shows::Nothing)];
    let dead = dead(server, here);
    all.extend(dead.into_iter().map(|(name, text)| Principal::new(name, Home::Nowhere, Shows::Dead(text))));
    for (home, side) in [(Home::Here, here), (Home::Elsewhere, elsewhere)] {
        let slug = side.slug;
        for role in BuiltInRole::ALL {
            let email = email(role, slug);
            let me = server.signed_in(&email).get("/v1/me").expect(200);
            let granted =
                me["scopes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
            let principal = Principal::new(format!("{role} of {slug}"), home, Shows::Session(email));
            all.push(Principal { granted, ..principal });
        }
        all.push(token(side, home, &["admin"], false));
        all.push(token(side, home, &["admin"], true));
        let asked = json!({"name": "actor"});
        let path = format!("/v1/organizations/{}/projects/{}/actors", side.org, side.project);
        let [secret] = texts(&side.owner.post(&path, &asked).expect(201), ["accessToken"]);
        let actor = Principal::new(format!("actor of {slug}"), home, Shows::Token(secret));
        all.push(Principal { granted: vec!["self:rotate".to_owned()], is_bound: true, ..actor });
        let confined = Principal::new(
            format!("actor of an access scope of {slug}"),
            home,
            Shows::Token(side.confined_actor(of_actors)),
        );
        all.push(Principal { granted: of_actors.to_vec(), is_bound: true, is_confined: true, ..confined });
        if home == Home::Here {
            for scope in scopes.iter().map(String::as_str).chain(["files:read"]) {
                all.push(token(side, home, &[scope], false));
            }
        }
    }
    all
}

fn token(side: &mut Side, home: Home, scopes: &[&str], is_bound: bool) -> Principal {
    let name = format!("{} token of {}{}", scopes.join(" "), side.slug, if is_bound { "'s project" } else { "" });
    let mut asked = json!({"name": side.fresh(), "scopes": scopes});
    if is_bound {
        asked["project_id"] = json!(side.project);
    }
    let [secret] = texts(&side.owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
    let granted = scopes.iter().map(|&scope| scope.to_owned()).collect();
    Principal { granted, is_bound, ..Principal::new(name, home, Shows::Token(secret)) }
}

/// Credentials that were good once, or never.
fn dead(server: &Server, side: &mut Side) -> Vec<(&'static str, String)> {
    let owner = &mut side.owner;
    let made = |owner: &mut Client| texts(&owner.create_with("dead", &["admin"]), ["id", "secret"]);
    let [id, revoked] = made(owner);
    owner.revoke(&id);
    let [id, superseded] = made(owner);
    owner.rotate(&id, &json!({"grace_period_seconds": 0}));
    let asked = json!({"name": "expiring", "scopes": ["admin"], "expires_at": later(2)});
    let [expired] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
    let ended = server.owner();
    server.caller(ended.credential()).delete("/v1/sessions/current").expect(204);
    eventually("the token expires", || (!server.anyone().is_valid(&expired)).then_some(()));
    vec![
        ("not a credential", "nonsense".to_owned()),
        ("a session that never was", format!("nls_{}", "0".repeat(64))),
        ("a token that never was", "nlp_00112233445566778899aabbccddeeff550c911c".to_owned()),
        ("a revoked token", revoked),
        ("a superseded token", superseded),
        ("an expired token", expired),
        ("an ended session", ended.credential().to_owned()),
    ]
}
