//! The callers that the matrix tries: without a credential, with an invalid one, persons of each role in both
//! organisations, and tokens with each scope.

use std::collections::BTreeSet;

use serde_json::json;
use token_domain::person::BuiltInRole;

use super::side::{Side, email};
use crate::support::{Client, Request, Server, eventually, later, texts};

/// The credential of a principal.
#[derive(Clone, Debug)]
pub(super) enum Shows {
    /// No credential.
    Nothing,
    /// An invalid credential: malformed, unknown, expired or revoked.
    Dead(String),
    /// A session of the person with this e-mail address.
    Session(String),
    /// A token that stays valid.
    Token(String),
}

/// The organisation of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// The organisation that set-up made.
    Here,
    /// The other organisation.
    Elsewhere,
    /// No organisation.
    Nowhere,
}

/// A caller, or a request without a caller.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub(super) name: String,
    pub(super) home: Home,
    pub(super) shows: Shows,
    /// The names of its granted scopes.
    pub(super) granted: Vec<String>,
    /// Whether it is bound to its organisation's project.
    pub(super) is_bound: bool,
    /// Whether it is an actor in an access scope that contains nothing else.
    pub(super) is_confined: bool,
}

impl Principal {
    fn new(name: impl Into<String>, home: Home, shows: Shows) -> Self {
        Self { name: name.into(), home, shows, granted: Vec::new(), is_bound: false, is_confined: false }
    }

    /// The e-mail address of the person, if the principal is one.
    pub(super) fn email(&self) -> Option<&str> {
        match &self.shows {
            Shows::Session(email) => Some(email),
            Shows::Nothing | Shows::Dead(_) | Shows::Token(_) => None,
        }
    }
}

/// Adds a credential to a request, in one of the three ways to present a token.
pub(super) fn shown<'a>(request: Request<'a>, credential: Option<&str>, way: usize) -> Request<'a> {
    match (credential, way % 3) {
        (None, _) => request,
        (Some(text), 0) => request.bearer(text),
        (Some(text), 1) if text.starts_with("nlp_") => request.header("X-API-Key", text),
        (Some(text), 2) if text.starts_with("nlp_") => request.header("Authorization", format!("api-key {text}")),
        (Some(text), _) => request.header("authorization", format!("bearer {text}")),
    }
}

/// All principals.
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

/// Credentials that are invalid, with a name for each.
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
