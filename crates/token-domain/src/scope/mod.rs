//! Scopes: what a token may do.
//!
//! The catalogue is data (`config/scopes.toml`). Names exist as text only at the edges; inside, a set of scopes is a
//! fixed-size bit set whose closure was computed when the catalogue was read, so a check is a handful of ANDs.
//! **Invariant:** nothing is granted that the catalogue does not say: there is no "no scopes means all".

mod catalogue;
mod evaluate;
mod name;
mod reader;
mod requirement;
mod set;

pub use catalogue::{CatalogueError, GrantError, Grants, Preset, Role, ScopeCatalogue, ScopeEntry, Source};
pub use evaluate::Evaluation;
pub use name::{InvalidScopeName, ScopeName};
pub use requirement::{Missing, Requirement};
pub use set::{ScopeId, ScopeSet};
