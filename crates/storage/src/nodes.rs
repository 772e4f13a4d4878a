//! What servers that share a PostgreSQL database say to each other through it: who is there, what was changed, how far each
//! has come.
//!
//! What is to be made of the answers is decided elsewhere. Nothing that nodes rely on needs advisory locks or `LISTEN` to be
//! right: notifications are hints that make a poll come sooner, and a lock keeps commands from taking the tables away.

mod entrance;
mod session;
mod settings;
mod witness;

use crate::url::{DatabaseUrl, Server, Target};
use std::fmt;

pub use crate::registration::Registration;
pub use entrance::EnterError;
pub use session::Session;
pub(crate) use session::{HAS_LIST, LIVE_NODES, TAKING_BACK, in_use};
pub use settings::ServerSettings;
pub use witness::Witness;

/// The list of nodes and the log, by the address of their database.
#[derive(Clone)]
pub struct Registry(Box<Server>);

impl Registry {
    /// Of a PostgreSQL database. An SQLite file has one server, and no list.
    pub fn of(url: &DatabaseUrl) -> Option<Self> {
        match url.target() {
            Target::Sqlite(_) => None,
            Target::PostgreSql(server) => Some(Self(server.clone())),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.0.shown).finish()
    }
}
