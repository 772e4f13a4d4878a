//! What a message broker lets an actor use: one pattern of topics, in which `+` stands for one part.

use std::fmt;

use serde::Serialize;

use super::topic::{Topic, is_part};
use crate::text::Slug;

/// The topics of an actor as a broker has them: `<project>/<access scope>/+/+`, or `<project>/+/+` for one that acts in the
/// whole project.
///
/// It has no `#`, which stands for any number of parts: an actor without an access scope would use the topics of every tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TopicPattern(String);

impl TopicPattern {
    /// The pattern of an actor of this project and, if it has one, this access scope.
    pub fn of(project: &Slug, access_scope: Option<&Slug>) -> Self {
        Self(match access_scope {
            Some(access_scope) => format!("{project}/{access_scope}/+/+"),
            None => format!("{project}/+/+"),
        })
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this lets an actor use a topic, or all topics of a pattern: each part is one that stands here, or any single
    /// part, or `+`, where this has `+`.
    pub fn covers(&self, asked: &str) -> bool {
        if asked.len() > Topic::LONGEST {
            return false;
        }
        let mut asked = asked.split('/');
        let is_covered = self.0.split('/').all(|part| {
            asked
                .next()
                .is_some_and(|asked| asked == part || (part == "+" && is_part(asked) && !asked.contains(['+', '#'])))
        });
        is_covered && asked.next().is_none()
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_lies_within_it() {
        let slug = |text| Slug::parse(text).unwrap();
        let (project, acme) = (slug("fleet"), slug("acme"));
        let scoped = TopicPattern::of(&project, Some(&acme));
        let whole = TopicPattern::of(&project, None);
        assert_eq!((scoped.as_str(), whole.as_str()), ("fleet/acme/+/+", "fleet/+/+"));
        let long = format!("fleet/acme/room/{}", "a".repeat(1024));
        for (asked, by_scoped, by_whole) in [
            ("fleet/acme/room/chat", true, false),
            ("fleet/acme/+/chat", true, false),
            ("fleet/acme/+/+", true, false),
            ("fleet/acme/room/", false, false),
            ("fleet/acme//chat", false, false),
            ("fleet/acme/room/#", false, false),
            ("fleet/acme/room/a+", false, false),
            ("fleet/acme/../chat", false, false),
            ("fleet/acme/./chat", false, false),
            ("fleet/acme/room/ch\u{202e}at", false, false),
            ("fleet/acme/room", false, true),
            ("fleet/acme/#", false, false),
            ("fleet/other/room/chat", false, false),
            ("fleet/+/room/chat", false, false),
            ("fleet/acme-2/room/chat", false, false),
            ("Fleet/acme/room/chat", false, false),
            ("+/acme/room/chat", false, false),
            ("fleet/room/chat", false, true),
            ("fleet/+/+", false, true),
            ("fleet/room/chat/more", false, false),
            ("other/room/chat", false, false),
            ("fleet/#", false, false),
            ("fleet", false, false),
            ("#", false, false),
            ("+", false, false),
            ("", false, false),
            ("/fleet/room/chat", false, false),
            (&long, false, false),
        ] {
            assert_eq!((scoped.covers(asked), whole.covers(asked)), (by_scoped, by_whole), "{asked}");
        }
    }
}
