//! A line in a list of sessions.

use authority::Via;
use authority::sessions::SeenSession;

use crate::show::When;
use crate::visit::Visitor;

/// A session, formatted.
#[derive(Clone, Debug)]
pub(super) struct SessionLine {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) address: String,
    pub(super) used: Option<When>,
    pub(super) began: When,
    pub(super) ends: When,
    pub(super) is_current: bool,
    /// What people call the identity provider that it was made by; empty for none.
    pub(super) provider: String,
}

impl SessionLine {
    pub(super) fn new((session, used): SeenSession, visitor: &Visitor) -> Self {
        let when = |at| When::new(at, visitor.now);
        let current = match visitor.caller.via {
            Via::Session { session_id, .. } => Some(session_id),
            Via::Token { .. } => None,
        };
        Self {
            id: session.id.to_string(),
            agent: client(session.user_agent.as_deref().unwrap_or_default()),
            used: used.as_ref().map(|used| when(used.last_used_at)),
            address: used.and_then(|used| used.address).unwrap_or_default(),
            began: when(session.created_at),
            ends: when(session.expires_at),
            is_current: Some(session.id) == current,
            provider: session.provider.map(|id| visitor.services.sso.name_of(&id)).unwrap_or_default(),
        }
    }
}

/// A client as people know it: the browser and the operating system, as far as the user agent names them.
pub(super) fn client(agent: &str) -> String {
    let find = |names: &[(&str, &str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| (*name).to_owned())
    };
    let browser = find(&[
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) if agent.is_empty() => "Unknown client".to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_called_as_people_know_them() {
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36", "Chrome on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on macOS",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown client"),
            ("<script>", "<script>"),
        ] {
            assert_eq!(client(agent), expected);
        }
    }
}
