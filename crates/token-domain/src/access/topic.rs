//! Topics: paths of messages, each tenant's under its own access scope.
//!
//! A broker asks two questions: which topic does an actor mean ([`namespaced`]), and may it use this one ([`may_use`]).

use std::fmt;

use serde::Serialize;

use crate::tenant::ActorStanding;
use crate::text::{Slug, is_allowed};

/// One topic, not a pattern: parts between slashes, at most 1024 bytes, kept exactly as given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Topic(String);

/// Why a text is no topic; the message completes the sentence "`topic` …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// Longer than 1024 bytes, the slug of its access scope included where it gets one.
    #[error("must have at most {} bytes", Topic::LONGEST)]
    TooLong,
    /// A slash at an end, or two in a row.
    #[error("must not begin or end with a slash or have two in a row")]
    EmptyPart,
    /// `.` or `..` as a part: a broker that maps topics to paths would leave the tenant.
    #[error("must not have . or .. as a segment")]
    Relative,
    /// `+` or `#`: a pattern that reaches beyond one topic.
    #[error("must be one topic, without the wildcards + and #")]
    Wildcard,
    /// A control, bidirectional-control or unassigned character.
    #[error("must not contain control, bidirectional-control or unassigned characters")]
    Forbidden,
}

impl Topic {
    /// The most bytes a topic may have.
    pub const LONGEST: usize = 1024;

    /// Checks a topic.
    ///
    /// # Errors
    /// Empty, longer than 1024 bytes, an empty or relative part, a wildcard, or a character that cannot be seen.
    pub fn parse(text: &str) -> Result<Self, InvalidTopic> {
        if text.is_empty() {
            return Err(InvalidTopic::Empty);
        }
        if text.len() > Self::LONGEST {
            return Err(InvalidTopic::TooLong);
        }
        if !text.chars().all(is_allowed) {
            return Err(InvalidTopic::Forbidden);
        }
        if text.contains(['+', '#']) {
            return Err(InvalidTopic::Wildcard);
        }
        for part in text.split('/') {
            match part {
                "" => return Err(InvalidTopic::EmptyPart),
                "." | ".." => return Err(InvalidTopic::Relative),
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The topic as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its first part is this slug and others follow. `acme` itself and `acme-2/x` are not under `acme`.
    fn is_under(&self, slug: &Slug) -> bool {
        self.0.strip_prefix(slug.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Whether a part of a topic names something: not empty, not a step in a path, and without characters that cannot be seen.
pub(super) fn is_part(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && part.chars().all(is_allowed)
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The topic an actor of the access scope means by `topic`: `<slug>/room/topic`. It is a topic itself, so that asking
/// [`may_use`] about it, after any journey as text, always works.
///
/// # Errors
/// With the slug in front it is longer than 1024 bytes.
pub fn namespaced(slug: &Slug, topic: &Topic) -> Result<Topic, InvalidTopic> {
    let effective = format!("{slug}/{topic}");
    if effective.len() > Topic::LONGEST { Err(InvalidTopic::TooLong) } else { Ok(Topic(effective)) }
}

/// Whether the actor's boundary lets it use this (effective) topic: an actor of an access scope exactly the topics under
/// its slug, and none while the scope is inactive; an unscoped actor every topic of its project.
///
/// This is the boundary alone. Whether the actor may act at all is for [`crate::decide()`], which is asked first.
pub fn may_use(actor: &ActorStanding, topic: &Topic) -> bool {
    match &actor.access_scope {
        Some(access_scope) => access_scope.active && topic.is_under(&access_scope.slug),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::{AccessScopeId, ActorId, ProjectId};
    use crate::tenant::AccessScopeStanding;

    fn actor(access_scope: Option<(&str, bool)>) -> ActorStanding {
        ActorStanding {
            actor_id: ActorId::from_uuid(Uuid::from_u128(1)),
            project_id: ProjectId::from_uuid(Uuid::from_u128(2)),
            disabled_at: None,
            expires_at: None,
            access_scope: access_scope.map(|(slug, active)| AccessScopeStanding {
                id: AccessScopeId::from_uuid(Uuid::from_u128(3)),
                slug: Slug::parse(slug).unwrap(),
                active,
            }),
        }
    }

    #[test]
    fn topics_are_plain_paths() {
        for good in ["room", "room/topic", "a/b/c", "a b", "a..b", "...", "$SYS/x", "Räume/1", &"a".repeat(1024)] {
            assert_eq!(Topic::parse(good).unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", InvalidTopic::Empty),
            ("/", InvalidTopic::EmptyPart),
            ("/a", InvalidTopic::EmptyPart),
            ("a/", InvalidTopic::EmptyPart),
            ("a//b", InvalidTopic::EmptyPart),
            ("..", InvalidTopic::Relative),
            ("a/../b", InvalidTopic::Relative),
            ("./a", InvalidTopic::Relative),
            ("+/a", InvalidTopic::Wildcard),
            ("a/#", InvalidTopic::Wildcard),
            ("a+b", InvalidTopic::Wildcard),
            ("a\nb", InvalidTopic::Forbidden),
            ("a\0", InvalidTopic::Forbidden),
            ("a\u{202e}", InvalidTopic::Forbidden),
            (&"a".repeat(1025), InvalidTopic::TooLong),
            (&"é".repeat(513), InvalidTopic::TooLong),
        ] {
            assert_eq!(Topic::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn the_slug_goes_in_front() {
        let slug = Slug::parse("acme").unwrap();
        let join = |text: &str| namespaced(&slug, &Topic::parse(text).unwrap()).map(|topic| topic.to_string());
        assert_eq!(join("room/topic"), Ok("acme/room/topic".to_owned()));
        assert_eq!(join("acme/room"), Ok("acme/acme/room".to_owned()));
        assert_eq!(join(&"a".repeat(1019)).unwrap().len(), 1024);
        assert_eq!(join(&"a".repeat(1020)), Err(InvalidTopic::TooLong));
    }

    #[test]
    fn a_scoped_actor_stays_under_its_slug() {
        for (access_scope, topic, expected) in [
            (Some(("acme", true)), "acme/room", true),
            (Some(("acme", true)), "acme/a/b", true),
            (Some(("acme", true)), "acme", false),
            (Some(("acme", true)), "acme-2/room", false),
            (Some(("acme", true)), "acmeroom", false),
            (Some(("acme", true)), "Acme/room", false),
            (Some(("acme", true)), "other/acme/room", false),
            (Some(("acme", true)), "$share/acme/room", false),
            (Some(("acme", false)), "acme/room", false),
            (Some(("acme", false)), "other/room", false),
            (None, "acme/room", true),
            (None, "room", true),
        ] {
            assert_eq!(
                may_use(&actor(access_scope), &Topic::parse(topic).unwrap()),
                expected,
                "{access_scope:?} {topic}"
            );
        }
    }
}
