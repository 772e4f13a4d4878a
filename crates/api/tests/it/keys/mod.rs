//! Personal API keys: each belongs to one person in one organisation and never does more than their current role
//! permits.

mod life;
mod owner;
mod role;
mod scopes;
