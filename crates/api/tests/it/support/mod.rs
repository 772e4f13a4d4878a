//! What every suite stands on: the real program on a database of its own, and a client that sends exact bytes.

mod chance;
mod client;
mod command;
mod database;
mod facts;
mod metrics;
mod patience;
mod proxy;
mod server;
mod wire;

pub(crate) use test_support::Backend;

pub(crate) use chance::Chance;
pub(crate) use client::{Client, texts};
pub(crate) use command::{Finished, finish, program};
pub(crate) use database::Database;
pub(crate) use facts::{later, now};
pub(crate) use metrics::Metrics;
pub(crate) use patience::eventually;
pub(crate) use proxy::Proxy;
pub(crate) use server::{Options, Server};
pub(crate) use wire::{Answer, Request, Wire};

/// Whether the long version of a suite was asked for.
pub(crate) fn is_full() -> bool {
    std::env::var_os("NOLAPSE_TEST_FULL").is_some()
}

/// Makes of each named function, which takes a [`Backend`], one test for each database.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                use crate::support::Backend;

                #[test]
                fn sqlite() {
                    super::$name(Backend::Sqlite);
                }

                #[test]
                fn postgresql() {
                    super::$name(Backend::PostgreSql);
                }
            }
        )+
    };
}

pub(crate) use both;
