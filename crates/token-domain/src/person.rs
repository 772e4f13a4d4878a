//! People: what decides whether a person's keys and sessions still count.

use std::fmt;

use serde::Serialize;

use crate::id::{RoleId, UserId};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// A person as the owner of a key or session, in one organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonStanding {
    /// The person.
    pub user_id: UserId,
    /// Set when the person was switched off, everywhere or in this organisation.
    pub disabled_at: Option<Timestamp>,
    /// What the person's role allows now; nothing when they are no longer a member.
    pub ceiling: Option<ScopeSet>,
}

/// The built-in roles, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BuiltInRole {
    /// Everything, including naming other owners.
    Owner,
    /// Everything but owners.
    Admin,
    /// Day-to-day work.
    Member,
    /// Read only.
    Viewer,
}

impl BuiltInRole {
    /// Every built-in role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The name on the wire, in the database and in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for BuiltInRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The role a membership names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoleRef {
    /// One of the four.
    BuiltIn(BuiltInRole),
    /// A role the organisation made.
    Custom(RoleId),
}

/// Whether an organisation asks its people for a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecondFactorRule {
    /// Each person decides for themselves.
    #[default]
    Optional,
    /// A person without one may set one up, and nothing else.
    Required,
}

impl SecondFactorRule {
    /// The name on the wire and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// Whether it is required.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Required)
    }
}
