//! Records: what is kept of tokens, people and the rest, in domain types. `storage` keeps them, `authority` works with them,
//! and views show them: none but [`StoredSecret`], [`SecondFactor`] and [`Account`] (and what contains
//! one of them) holds anything that proves something.

mod audit;
mod execution;
mod invitation;
mod leak;
mod organization;
mod person;
mod principal;
mod project;
mod session;
mod token;
mod trust;
mod webhook;

pub use audit::{AuditHead, AuditRecord};
pub use execution::{Baseline, Execution, Repository};
pub use invitation::{Invitation, Invited};
pub use leak::TokenLeak;
pub use organization::{CustomRole, Organization, StoredRule, TokenTerms};
pub use person::{Account, Home, Identity, Member, Membership, MembershipStanding, SecondFactor, User, Verified};
pub use principal::Principal;
pub use project::{AccessScope, Actor, Project};
pub use session::{Session, SessionStanding, SessionUse};
pub use token::{
    Candidate, NewToken, OwnerState, ScopeUse, StoredSecret, Token, TokenDetails, TokenOrigin, TokenOwner,
};
pub use token_format::Hint;
pub use trust::{TrustAttempt, TrustOutcome, TrustPolicy};
pub use webhook::{DeliveryError, DeliveryState, Webhook, WebhookDelivery};
