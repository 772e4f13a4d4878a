//! Access scopes and actors: what people write about them, the topics they may use, and how lists of them are paged.
//!
//! An access scope is a tenant boundary inside a project; it has nothing to do with the scopes a token carries. What of
//! either bears on whether a token is good stands in [`crate::tenant`].

mod actor;
mod label;
mod metadata;
mod order;
mod paging;
mod pattern;
mod topic;

pub use actor::{ActorName, ActorType, ExternalId};
pub use label::{Description, ScopeDisplayName};
pub use metadata::{InvalidMetadata, Metadata};
pub use order::{Direction, InvalidOrder, OrderBy, OrderField};
pub use paging::{InvalidPaging, Paging};
pub use pattern::TopicPattern;
pub use topic::{InvalidTopic, Topic, may_use, namespaced};
