//! What a token means: ids, scopes, status, rotation and the decision whether a token may act.
//!
//! Everything here is a total function of facts, a request and a moment. **Invariant:** this crate never reads a
//! clock, never draws randomness, never waits, and knows neither a database nor HTTP nor a hash function; whoever
//! calls it brings those in as values.

pub mod access;
pub mod decide;
pub mod execution;
pub mod id;
pub mod leak;
pub mod person;
pub mod policy;
pub mod record;
pub mod role;
pub mod scope;
pub mod tenant;
pub mod text;
pub mod time;
pub mod token;
pub mod trust;
pub mod usage;

pub use decide::{Credential, Denial, Holder, Verdict, decide, decide_used};
pub use id::Id;
pub use scope::{Requirement, ScopeCatalogue, ScopeName, ScopeSet};
pub use time::{Span, Timestamp};
