//! A request that succeeds: from a caller with the right, on existing objects, with the body of the operation's row.

use serde_json::{Value, json};

use super::document::Operation;
use super::principals::Home;
use super::rows::{For, Row};
use super::side::{Names, Side};
use super::{SERVICE_TOKEN, World};
use crate::support::{Answer, Request, Server, texts};

impl World {
    /// Sends the operation's request after `change` has edited its body.
    pub(super) fn allowed(
        &mut self,
        operation: &Operation,
        row: &Row,
        owner: &str,
        agent: &str,
        change: impl FnOnce(&mut Option<Value>),
    ) -> Answer {
        let names: Names = self.make(row, Home::Here, owner);
        let mut body = row.body.map(|body| body(&names));
        change(&mut body);
        let path = operation.filled(|name| names[name].clone());
        let query = names.iter().fold(row.query.to_owned(), |q, (name, v)| q.replace(&format!("{{{name}}}"), v));
        let path = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut request = Request::new(&operation.method, &path).header("User-Agent", agent);
        if let Some(credential) = credential(&mut self.here, &self.server, row, owner) {
            request = request.bearer(&credential);
        }
        self.wire.ask(match body {
            Some(Value::String(form)) => request.header("Content-Type", "application/x-www-form-urlencoded").body(form),
            Some(body) => request.json(&body),
            None => request,
        })
    }

    /// Restores what such a request may have removed: sessions, memberships, roles.
    pub(super) fn recover(&mut self, owner: &str) {
        self.here.owner = self.server.signed_in(owner);
        self.here.clear_roles();
        self.rejoin();
    }
}

/// A caller with the right that the operation asks for.
fn credential(side: &mut Side, server: &Server, row: &Row, owner: &str) -> Option<String> {
    let bound = (row.whom == For::Bound).then(|| side.project.clone());
    match row.whom {
        For::Anybody => None,
        For::Service => Some(SERVICE_TOKEN.to_owned()),
        For::Tokens | For::TokensAlone | For::Bound => {
            let asked = json!({"name": side.fresh(), "scopes": ["admin", "self:rotate"], "project_id": bound});
            let [secret] = texts(&side.owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
            Some(secret)
        }
        For::AnybodyGood | For::Holders | For::Operators | For::People | For::Unbound => {
            Some(server.signed_in(owner).credential().to_owned())
        }
    }
}
