//! Projects, access scopes and actors: the calls of clients, by long and short paths, on both databases.

mod access_scopes;
mod actor_tokens;
mod actors;
mod ground;
mod isolation;
mod projects;
mod race;
mod short_form;
