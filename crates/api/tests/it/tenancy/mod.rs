//! Projects, access scopes and actors: the calls as clients make them, in both forms, on both databases.

mod access_scopes;
mod actor_tokens;
mod actors;
mod ground;
mod isolation;
mod projects;
mod race;
mod short_form;
