//! Plain records, made from a number: the same number makes the same record.

use token_domain::id::{Kind, OrganizationId, UserId};
use token_domain::leak::LeakAction;
use token_domain::person::{BuiltInRole, RoleRef, SecondFactorRule};
use token_domain::record::{
    CustomRole, Hint, Membership, NewToken, Organization, Principal, Session, StoredSecret, Token, TokenOwner, User,
    Verified,
};
use token_domain::text::{Email, Name, Slug};
use token_domain::token::TokenFacts;
use token_domain::{Id, Span, Timestamp};
use uuid::Uuid;

/// 2026-01-15T09:32:11.123456Z, when every record is made.
pub const T0: Timestamp = Timestamp::from_micros(1_768_469_531_123_456);

/// `seconds` after [`T0`].
pub fn after(seconds: u32) -> Timestamp {
    T0 + Span::seconds(seconds)
}

/// The id for a number.
pub fn id<K: Kind>(number: u64) -> Id<K> {
    Id::from_uuid(Uuid::from_u128((0x0190_0000_0000_7000_8000 << 48) | u128::from(number)))
}

/// An organisation `org-<n>`, switched on, without a cap.
///
/// # Panics
/// Never: its texts are valid.
pub fn organization(number: u64) -> Organization {
    Organization {
        id: id(number),
        slug: Slug::parse(&format!("org-{number}")).expect("a slug"),
        name: Name::parse(&format!("Organisation {number}")).expect("a name"),
        disabled_at: None,
        token_cap: None,
        second_factor: SecondFactorRule::Optional,
        leak_action: LeakAction::default(),
        trust_only: false,
        created_at: T0,
        updated_at: T0,
    }
}

/// A person `Person<n>@example.org` without a password.
///
/// # Panics
/// Never: its texts are valid.
pub fn user(number: u64) -> User {
    User {
        id: id(number),
        email: Email::parse(&format!("Person{number}@example.org")).expect("an address"),
        name: Name::parse(&format!("Person {number}")).expect("a name"),
        verified: Some(Verified { at: T0, by: None }),
        pending_email: None,
        disabled_at: None,
        created_at: T0,
        updated_at: T0,
    }
}

/// A membership.
pub const fn membership(organization_id: OrganizationId, user_id: UserId, role: RoleRef) -> Membership {
    Membership { organization_id, user_id, role, disabled_at: None, created_at: T0 }
}

/// A membership with a built-in role.
pub const fn member(organization_id: OrganizationId, user_id: UserId, role: BuiltInRole) -> Membership {
    membership(organization_id, user_id, RoleRef::BuiltIn(role))
}

/// A role `Role <n>` with two scopes.
///
/// # Panics
/// Never: its texts are valid.
pub fn role(organization_id: OrganizationId, number: u64) -> CustomRole {
    CustomRole {
        id: id(number),
        organization_id,
        name: Name::parse(&format!("Role {number}")).expect("a name"),
        scopes: vec!["tokens:read".to_owned(), "scans:run".to_owned()],
        created_at: T0,
        updated_at: T0,
    }
}

/// The stored digest of the made-up secret of an id.
pub fn digest<K: Kind>(id: Id<K>) -> [u8; 32] {
    let mut digest = [7; 32];
    digest[..16].copy_from_slice(id.uuid().as_bytes());
    digest
}

/// A session of a day. Its token's digest is [`digest`] of its id.
pub fn session(organization_id: OrganizationId, user_id: UserId, number: u64) -> Session {
    Session {
        id: id(number),
        user_id,
        organization_id,
        user_agent: Some("test/1.0".to_owned()),
        created_at: T0,
        expires_at: T0 + Span::days(1),
        proven_at: Some(T0),
        provider: None,
    }
}

/// A token of [`token`] with a made-up secret, whose look-up hint is the token's number.
pub fn kept(token: Token) -> NewToken {
    let [.., a, b, c, d] = *token.id.uuid().as_bytes();
    let number = u32::from_be_bytes([a, b, c, d]);
    let secret = StoredSecret {
        secret_hash: format!("$test${number}"),
        lookup_hint: i64::from(number),
        verify_tag: Some(number.to_be_bytes().to_vec()),
    };
    NewToken { token, secret }
}

/// An organisation's own token `Token <n>` without expiry.
///
/// # Panics
/// Never: its texts are valid.
pub fn token(organization_id: OrganizationId, number: u32) -> Token {
    let hint = Hint::parse("3f7a").expect("a hint");
    let name = Name::parse(&format!("Token {number}")).expect("a name");
    let (facts, owner) = (TokenFacts::new(T0, None), TokenOwner::Organization);
    Token {
        scopes: vec!["execute".to_owned()],
        ..Token::new(id(u64::from(number)), organization_id, owner, name, facts, Principal::System, hint)
    }
}
