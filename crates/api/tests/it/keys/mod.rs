//! Personal API keys: one person's, within one organisation, never more than their role at the moment of use.

mod life;
mod owner;
mod role;
mod scopes;
