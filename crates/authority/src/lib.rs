//! The verbs of the service: issue, validate, rotate, revoke, sign in, report use.
//!
//! Everything that must be true whatever the wire looks like is true here: who may do what, that a change and its
//! audit row and its log entry are one transaction, that a cache never answers with what a finished revocation took
//! away. **Invariant:** no HTTP type and no SQL reaches this crate; the clock and the generator come in through
//! [`mod@env`], nothing else reads them.

pub mod access_scopes;
pub mod actors;
pub mod addresses;
pub mod audit;
pub mod cursor;
pub mod env;
pub mod error;
pub mod executions;
pub mod fence;
pub mod hashing;
pub mod imports;
pub mod invitations;
pub mod leaks;
pub mod ledger;
pub mod legacy;
pub mod limits;
pub mod mail;
pub mod members;
pub mod memory;
pub mod nodes;
pub mod notices;
pub mod operator;
pub mod organizations;
pub mod origin;
pub mod password_resets;
pub mod passwords;
pub mod people;
pub mod policies;
pub mod projects;
pub mod replay;
pub mod roles;
pub mod second_factors;
pub mod sessions;
pub mod setup;
pub mod shared;
pub mod slow;
pub mod sso;
pub mod standing;
pub mod tag_key;
pub mod tokens;
pub mod trust;
pub mod unit;
pub mod usage;
pub mod validate;
pub mod webhooks;

/// The records of the store that answers are made from.
pub mod records {
    pub use storage::model::LogPlace;
    pub use storage::model::{AccessScopeEdit, Change, Listing, Page, ScopedTo};
    pub use storage::model::{Narrowing, OwnerFilter, StatusCounts, TokenEdit};
    pub use token_domain::record::AuditRecord;
    pub use token_domain::record::{AccessScope, Actor, Project};
    pub use token_domain::record::{Baseline, Execution, Repository};
    pub use token_domain::record::{CustomRole, Invitation, Invited, Member};
    pub use token_domain::record::{DeliveryError, DeliveryState, Webhook, WebhookDelivery};
    pub use token_domain::record::{MembershipStanding, Organization, Principal, Session, User};
    pub use token_domain::record::{Token, TokenDetails, TokenLeak, TokenOrigin, TokenOwner};
    pub use token_domain::record::{TrustAttempt, TrustOutcome, TrustPolicy};
}

mod attempts;
mod change;
mod context;
mod letters;
mod opaque;
mod rights;

pub use context::{Context, MailPolicy, Parts, Policy, TrustedProvider};
pub use error::Failure;
pub use origin::{Admission, Caller, Origin, Presentation, Proven, Via};
pub use rights::Refused;
