//! Which events of the audit trails are kept in the ledger, and what a replay makes of each.
//!
//! The table names every action there is; a test reads the code of this crate and fails where one is missing.

use audit_trail::ledger::Entry;
use serde_json::Value;
use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::record::{AuditRecord, Principal};
use token_domain::tenant::ActorStatus;

/// What a replay does about an entry that the database has not heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Revokes the tokens that the entry names.
    Tokens,
    /// Revokes the rotated token, unless the rotation was taken back.
    Rotation,
    /// A rotation was taken back: revokes its successor, and not its target.
    RotationBack,
    /// Revokes every token of the project, and reports that the project is there again.
    Project,
    /// Brings the end of a token's grace forward.
    Grace,
    /// Revokes the person's keys in the organisation, ends their sessions and their membership there.
    Removal,
    /// Switches the person off in the organisation.
    MemberOff,
    /// Switches the person off everywhere.
    PersonOff,
    /// Switches the organisation off.
    OrganizationOff,
    /// An actor was changed: switches it off if that is what it was, and reports what else it was narrowed to.
    Actor,
    /// Ends the person's sessions, all of them: which were meant is not always known.
    Sessions,
    /// Ends the person's sessions, and reports what else is as it was before.
    SessionsAndReport,
    /// Reports it by name: what it was narrowed to is not in the ledger, so somebody has to do it again.
    Report,
    /// The opposite of [`Removal`](Self::Removal), [`MemberOff`](Self::MemberOff), [`PersonOff`](Self::PersonOff) or
    /// [`OrganizationOff`](Self::OrganizationOff): what such an entry before it asks for is not repeated.
    GivesBack,
    /// A replay: what was to be repeated until then was.
    Replay,
}

/// The action of a replay's own event.
pub(crate) const REPLAY: &str = "ledger.replay";

/// Every action of an audit trail. Without a second part it takes nothing away that a replay could give back.
pub(crate) const ACTIONS: &[(&str, Option<Repeat>)] = &[
    // Actors that were moved may reach what they had lost.
    ("access_scope.assign", Some(Repeat::Report)),
    ("access_scope.create", None),
    ("access_scope.delete", Some(Repeat::Report)),
    ("access_scope.unassign", Some(Repeat::Report)),
    ("access_scope.update", Some(Repeat::Report)),
    ("actor.create", None),
    ("actor.delete", Some(Repeat::Tokens)),
    ("actor.update", Some(Repeat::Actor)),
    ("audit.export", None),
    ("auth.denied", None),
    ("baseline.set", None),
    ("deployment.setup", None),
    ("invitation.accept", None),
    ("invitation.accept.denied", None),
    ("invitation.create", None),
    ("invitation.create.limited", None),
    ("invitation.delete", Some(Repeat::Report)),
    (REPLAY, Some(Repeat::Replay)),
    ("mail.drop", None),
    ("member.add", Some(Repeat::GivesBack)),
    ("member.disable", Some(Repeat::MemberOff)),
    ("member.enable", Some(Repeat::GivesBack)),
    ("member.leave", Some(Repeat::Removal)),
    ("member.remove", Some(Repeat::Removal)),
    ("member.role", Some(Repeat::Report)),
    ("organization.cap", Some(Repeat::Report)),
    ("organization.create", None),
    ("organization.disable", Some(Repeat::OrganizationOff)),
    ("organization.enable", Some(Repeat::GivesBack)),
    ("organization.update", Some(Repeat::Report)),
    ("project.create", None),
    ("project.delete", Some(Repeat::Project)),
    ("project.update", None),
    ("role.create", None),
    ("role.delete", Some(Repeat::Report)),
    ("role.update", Some(Repeat::Report)),
    ("session.create", None),
    ("session.create.alarm", None),
    ("session.create.denied", None),
    ("session.create.limited", None),
    ("session.delete", Some(Repeat::Sessions)),
    ("session.prove", None),
    ("tag_key.lost", None),
    ("tag_key.rotate", None),
    ("token.bulk_revoke", Some(Repeat::Tokens)),
    ("token.create", None),
    ("token.create.limited", None),
    ("token.expiring", None),
    ("token.grace_shortened", Some(Repeat::Grace)),
    ("token.import", None),
    // A revocation or a rotation beside it says what became of the token.
    ("token.leaked", None),
    ("token.new_address", None),
    ("token.reuse_detected", None),
    ("token.revoke", Some(Repeat::Tokens)),
    // At once, even within its grace: the successor is not in the database, and the grace was for changing over to it.
    ("token.rotate", Some(Repeat::Rotation)),
    // The successor is not in a database that has not heard of this; if it is, it was revoked.
    ("token.rotate.cancel", Some(Repeat::RotationBack)),
    ("token.update", None),
    ("token_policy.set", Some(Repeat::Report)),
    ("trust_policy.create", None),
    ("trust_policy.delete", Some(Repeat::Report)),
    ("trust_policy.update", Some(Repeat::Report)),
    ("user.email.change", Some(Repeat::SessionsAndReport)),
    ("user.email.limited", None),
    ("user.confirm.denied", None),
    ("user.disable", Some(Repeat::PersonOff)),
    ("user.enable", Some(Repeat::GivesBack)),
    ("user.identity.link", None),
    ("user.identity.unlink", Some(Repeat::SessionsAndReport)),
    ("user.notices.update", None),
    ("user.password.change", Some(Repeat::SessionsAndReport)),
    ("user.password.reset", Some(Repeat::SessionsAndReport)),
    ("user.password.reset.denied", None),
    ("user.password.reset.limited", None),
    ("user.password.reset.request", None),
    ("user.password.set", Some(Repeat::SessionsAndReport)),
    ("user.recovery_codes.create", Some(Repeat::Report)),
    ("user.second_factor.begin", None),
    ("user.second_factor.disable", Some(Repeat::Sessions)),
    ("user.second_factor.enable", Some(Repeat::SessionsAndReport)),
    ("user.second_factor.reset", Some(Repeat::Sessions)),
    ("user.update", None),
    ("webhook.create", None),
    ("webhook.delete", Some(Repeat::Report)),
    ("webhook.replay", None),
    ("webhook.rotate_secret", None),
    ("webhook.test", None),
    ("webhook.update", Some(Repeat::Report)),
];

/// The details that name tokens an event ended.
const TOKENS: [&str; 4] = ["tokens", "token_ids", "keys_revoked_ids", "revoked_ids"];
/// Those that say when a token ends.
const ENDS: [&str; 2] = ["grace_ends_at", "grace_period_ends_at"];

/// What an entry says of an actor that was switched off, and of one that was switched on again.
pub(crate) const DISABLED: &str = "disabled";
pub(crate) const ENABLED: &str = "enabled";

/// What is done about an action; nothing for one that is not kept.
pub(crate) fn repeat(action: &str) -> Option<Repeat> {
    ACTIONS.iter().find(|(known, _)| *known == action).and_then(|(_, repeat)| *repeat)
}

/// Whether an entry takes back what another before it took away.
pub(crate) fn gives_back(entry: &Entry) -> bool {
    matches!(repeat(&entry.action), Some(Repeat::GivesBack | Repeat::RotationBack))
        || entry.changed.iter().any(|change| change == ENABLED)
}

/// The names of what a change of an actor may have narrowed; `None` if it narrowed nothing. The list is empty where the event does
/// not say what was changed.
fn narrowed(detail: &Value) -> Option<Vec<String>> {
    let Some(changed) = detail["changed"].as_array() else { return Some(Vec::new()) };
    let name = |field: &str| match field {
        "disabled_at" if detail["status"] == ActorStatus::Disabled.as_str() => Some(DISABLED),
        "disabled_at" => Some(ENABLED),
        "access_scope_id" => Some("access_scope_id"),
        "expires_at" => Some("expires_at"),
        _ => None,
    };
    let names: Vec<String> = changed.iter().filter_map(|field| name(field.as_str()?)).map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

/// The entry of an event; nothing for one that takes nothing away.
pub(crate) fn entry(record: &AuditRecord) -> Option<Entry> {
    let repeat = repeat(&record.action)?;
    let detail: Value = serde_json::from_str(&record.detail).unwrap_or_default();
    let mut tokens = Vec::new();
    if matches!(repeat, Repeat::Tokens | Repeat::Project | Repeat::Removal | Repeat::Rotation | Repeat::RotationBack) {
        // A rotation that is taken back revives its target.
        if record.target_kind == "token" && repeat != Repeat::RotationBack {
            tokens.extend(record.target_id.parse::<TokenId>().ok());
        }
        for id in TOKENS.iter().filter_map(|key| detail[*key].as_array()).flatten() {
            tokens.extend(id.as_str().and_then(|id| id.parse::<TokenId>().ok()));
        }
    }
    let changed = if repeat == Repeat::Actor { narrowed(&detail)? } else { Vec::new() };
    let until = ENDS.iter().find_map(|key| Timestamp::parse_rfc3339(detail[*key].as_str()?).ok());
    // A session is its person's, who ended it.
    let owner = match Principal::parse(&record.actor) {
        Some(Principal::User(user)) if record.target_kind == "session" => Some(user.to_string()),
        Some(_) | None => None,
    };
    Some(Entry {
        organization_id: record.organization_id,
        seq: record.seq,
        hash: record.hash,
        at: record.at,
        action: record.action.clone(),
        target_id: owner.unwrap_or_else(|| record.target_id.clone()),
        tokens,
        until,
        changed,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The texts in the code of this crate that are of the form of an action.
    fn actions_in(folder: &Path, found: &mut BTreeSet<String>) {
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.is_dir() {
                actions_in(&file, found);
                continue;
            }
            if file.ends_with("ledger/kinds.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for (before, literal) in text.split('"').zip(text.split('"').skip(1)) {
                let is_action = literal.contains('.')
                    && literal.split('.').all(|part| {
                        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
                    });
                let family = literal.split('.').next().unwrap();
                let is_known = ACTIONS.iter().any(|(action, _)| action.split('.').next() == Some(family));
                if is_action && (is_known || before.ends_with("event(")) {
                    found.insert(literal.to_owned());
                }
            }
        }
    }

    fn update(detail: &str) -> AuditRecord {
        AuditRecord {
            seq: 1,
            organization_id: None,
            at: Timestamp::EPOCH,
            action: "actor.update".to_owned(),
            actor: "system".to_owned(),
            target_kind: "actor".to_owned(),
            target_id: String::new(),
            request_id: String::new(),
            detail: detail.to_owned(),
            prev_hash: [0; 32],
            hash: [0; 32],
        }
    }

    #[test]
    fn an_update_of_an_actor_is_kept_if_it_may_have_taken_something_away_and_says_what() {
        for (detail, expected) in [
            (r#"{"changed":["disabled_at"],"status":"disabled"}"#, Some(vec![DISABLED])),
            (r#"{"changed":["disabled_at"],"status":"active"}"#, Some(vec![ENABLED])),
            (r#"{"changed":["disabled_at"],"status":"expired"}"#, Some(vec![ENABLED])),
            (
                r#"{"changed":["name","expires_at","disabled_at"],"status":"disabled"}"#,
                Some(vec![DISABLED, "expires_at"]),
            ),
            (r#"{"changed":["access_scope_id"],"status":"disabled"}"#, Some(vec!["access_scope_id"])),
            (r#"{"changed":["name","metadata"],"status":"disabled"}"#, None),
            (r#"{"changed":[],"status":"active"}"#, None),
            // Of which nothing is known.
            ("{}", Some(vec![])),
        ] {
            let mut found = entry(&update(detail)).map(|entry| entry.changed);
            if let Some(changed) = &mut found {
                changed.sort();
            }
            assert_eq!(found, expected.map(|names| names.into_iter().map(str::to_owned).collect()), "{detail}");
        }
    }

    #[test]
    fn every_action_of_this_crate_has_its_row() {
        let mut found = BTreeSet::new();
        actions_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 60, "{found:?}");
        let listed: BTreeSet<String> = ACTIONS.iter().map(|(action, _)| (*action).to_owned()).collect();
        assert_eq!(listed.len(), ACTIONS.len(), "an action is listed twice");
        let missing: Vec<_> = found.difference(&listed).collect();
        assert!(missing.is_empty(), "say in ACTIONS what a replay makes of {missing:?}");
    }
}
