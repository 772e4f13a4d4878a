//! Typed identifiers: a `UUIDv7` with the kind of thing it names in its type.
//!
//! One registry below lists every kind. An id is written as the registry says (plain UUID or `TypeID`) and read in
//! either form; an id of one kind never compares with, or stands in for, an id of another.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use uuid::Uuid;

use crate::time::Timestamp;

/// Crockford base32, lower case: the alphabet of `TypeID`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a `TypeID` suffix: 128 bits in groups of five, the first one only three bits wide.
const SUFFIX_LEN: usize = 26;

/// What an id names.
pub trait Kind: Send + Sync + 'static {
    /// The `TypeID` prefix, without the underscore.
    const PREFIX: &'static str;
    /// The name in messages.
    const NAME: &'static str;
    /// Whether the wire shows the `TypeID` form (otherwise the plain UUID).
    const SHOWN_AS_TYPEID: bool;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $prefix:literal, $name:literal, $typeid:literal;)+) => {
        /// The kinds of things that have ids.
        pub mod kind {
            $($(#[$doc])* #[derive(Clone, Copy, Debug, PartialEq, Eq)] pub enum $kind {}
            impl super::Kind for $kind {
                const PREFIX: &'static str = $prefix;
                const NAME: &'static str = $name;
                const SHOWN_AS_TYPEID: bool = $typeid;
            })+
        }
        #[cfg(test)]
        const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

kinds! {
    /// An API token of any kind.
    Token = "tok", "token", false;
    /// An organisation: the outermost tenant.
    Organization = "org", "organization", true;
    /// A person.
    User = "usr", "user", false;
    /// A signed-in session of a person in one organisation.
    Session = "ses", "session", false;
    /// A custom role of an organisation.
    Role = "rol", "role", false;
    /// A project of an organisation.
    Project = "prj", "project", false;
    /// A tenant boundary inside a project.
    AccessScope = "asc", "access scope", false;
    /// A device, agent or service that acts in a project.
    Actor = "act", "actor", false;
    /// A recorded coverage submission.
    Execution = "exe", "execution", true;
    /// A repository known through its submissions.
    Repository = "rep", "repository", false;
    /// An invitation of a person to an organisation.
    Invitation = "inv", "invitation", false;
    /// A trust policy of an organisation: which workloads get tokens.
    TrustPolicy = "trp", "trust policy", false;
    /// A message to a person that waits to be sent.
    Mail = "mai", "mail", false;
    /// An endpoint of an organisation that is told of its events.
    Webhook = "whk", "webhook", false;
    /// What is sent to a webhook: the id of the event it tells of.
    Delivery = "msg", "delivery", false;
    /// An attempt to exchange an identity token under a trust policy.
    TrustAttempt = "tra", "trust attempt", false;
    /// A server process among those that share a database.
    Node = "nod", "node", false;
}

/// An identifier of a thing of kind `K`.
pub struct Id<K: Kind> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// A text that is no id of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of {article} {kind}: its UUID, or {prefix}_ and 26 characters", article = article(.kind))]
pub struct InvalidId {
    kind: &'static str,
    prefix: &'static str,
}

const fn article(noun: &str) -> &'static str {
    match noun.as_bytes() {
        [b'a' | b'e' | b'i' | b'o', ..] => "an",
        _ => "a",
    }
}

/// An API token's id.
pub type TokenId = Id<kind::Token>;
/// An organisation's id.
pub type OrganizationId = Id<kind::Organization>;
/// A person's id.
pub type UserId = Id<kind::User>;
/// A session's id.
pub type SessionId = Id<kind::Session>;
/// A custom role's id.
pub type RoleId = Id<kind::Role>;
/// A project's id.
pub type ProjectId = Id<kind::Project>;
/// An access scope's id.
pub type AccessScopeId = Id<kind::AccessScope>;
/// An actor's id.
pub type ActorId = Id<kind::Actor>;
/// A coverage execution's id.
pub type ExecutionId = Id<kind::Execution>;
/// A repository's id.
pub type RepositoryId = Id<kind::Repository>;
/// An invitation's id.
pub type InvitationId = Id<kind::Invitation>;
/// A trust policy's id.
pub type TrustPolicyId = Id<kind::TrustPolicy>;
/// Id of a message that waits to be sent.
pub type MailId = Id<kind::Mail>;
/// The id of an attempt under a trust policy.
pub type TrustAttemptId = Id<kind::TrustAttempt>;
/// A webhook's id.
pub type WebhookId = Id<kind::Webhook>;
/// The id of an event that webhooks are told of; with a webhook's id, of one delivery.
pub type DeliveryId = Id<kind::Delivery>;
/// A node's id.
pub type NodeId = Id<kind::Node>;

impl<K: Kind> Id<K> {
    /// A new id (RFC 9562, version 7) from the moment and 74 of the 80 random bits given.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Takes a UUID that is already known to name a `K`, as read from the database.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The moment that it was made from, in milliseconds; the beginning of 1970 for an id of another version.
    pub fn made_at(&self) -> Timestamp {
        let millis = match self.uuid.get_version_num() {
            7 => i64::try_from(self.uuid.as_u128() >> 80).unwrap_or(0),
            _ => 0,
        };
        Timestamp::from_micros(millis * 1_000)
    }

    /// The 128 bits.
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Reads the plain UUID (hyphenated, either case) or the `TypeID` form.
    ///
    /// # Errors
    /// Any other text, including a `TypeID` of another kind.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { kind: K::NAME, prefix: K::PREFIX };
        if let Some(suffix) = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')) {
            return decode(suffix).map(Self::from_uuid).ok_or(invalid);
        }
        if text.len() != 36 {
            return Err(invalid);
        }
        Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| invalid)
    }

    /// `tok_01h…`: the `TypeID` form, whatever the wire shows for this kind.
    pub fn typeid(&self) -> String {
        format!("{}_{}", K::PREFIX, encode(self.uuid.as_u128()))
    }
}

fn encode(bits: u128) -> String {
    (0..SUFFIX_LEN)
        .rev()
        .map(|place| {
            let index = usize::try_from((bits >> (5 * place)) & 31).unwrap_or(0);
            char::from(ALPHABET[index])
        })
        .collect()
}

fn decode(suffix: &str) -> Option<Uuid> {
    if suffix.len() != SUFFIX_LEN || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    suffix
        .bytes()
        .try_fold(0_u128, |bits, byte| {
            let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
            Some((bits << 5) | u128::try_from(digit).ok()?)
        })
        .map(Uuid::from_u128)
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if K::SHOWN_AS_TYPEID { f.write_str(&self.typeid()) } else { write!(f, "{}", self.uuid.hyphenated()) }
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typeid())
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K: Kind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}
impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91))
    }

    #[test]
    fn writes_the_published_typeid_vector() {
        assert_eq!(org().to_string(), "org_01j0b3v1mmeedtx9cpdgkfhbch");
        assert_eq!(OrganizationId::parse("org_01j0b3v1mmeedtx9cpdgkfhbch"), Ok(org()));
    }

    #[test]
    fn reads_both_forms_and_nothing_else() {
        let token = TokenId::new(Timestamp::from_micros(1_768_469_531_000_000), [7; 10]);
        assert_eq!(TokenId::parse(&token.to_string()), Ok(token));
        assert_eq!(TokenId::parse(&token.typeid()), Ok(token));
        assert_eq!(TokenId::parse(&token.to_string().to_uppercase()), Ok(token));
        assert_eq!(token.uuid().get_version_num(), 7);
        let too_big = format!("tok_8{}", "0".repeat(25));
        for text in ["", "tok_", "01j0b3v1mmeedtx9cpdgkfhbch", "org_01j0b3v1mmeedtx9cpdgkfhbch", "tok_ü", &too_big] {
            assert!(TokenId::parse(text).is_err(), "{text}");
        }
        let simple = token.uuid().simple().to_string();
        assert!(TokenId::parse(&simple).is_err());
        assert!(TokenId::parse(&format!("{{{}}}", token.uuid())).is_err());
    }

    #[test]
    fn prefixes_are_distinct() {
        let distinct: std::collections::BTreeSet<_> = PREFIXES.iter().collect();
        assert_eq!(distinct.len(), PREFIXES.len());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let early = TokenId::new(Timestamp::from_micros(1_000_000), [255; 10]);
        let late = TokenId::new(Timestamp::from_micros(1_001_000), [0; 10]);
        assert!(early < late);
    }
}
