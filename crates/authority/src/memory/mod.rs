//! What a node remembers of tokens: the entries and their cache, digests known to name no token, what entries share, and
//! what was noted of uses. No store, no catalogue and no decision: [`crate::validate`] fills it and judges what it finds,
//! [`crate::usage`] writes down what was noted.

mod cache;
mod entry;
mod negative;
mod noted;
mod shares;

pub use cache::CacheLimits;
pub use entry::Entry;
pub use noted::UseKind;

pub(crate) use cache::Cache;
pub(crate) use entry::{Binding, Pending, Shared};
pub(crate) use negative::Negatives;
pub(crate) use noted::Noted;
pub(crate) use shares::Shares;
