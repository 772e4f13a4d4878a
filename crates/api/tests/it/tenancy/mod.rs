//! Projects, access scopes and actors: the calls of clients, by long and short paths, on both databases.

mod access_scopes;
mod actor_tokens;
mod actors;
mod brokers;
mod ground;
mod isolation;
mod projects;
mod race;
mod short_form;

pub(crate) use ground::Project;
