//! Support for all suites: the real program on its own database, and a client that sends exact bytes.

mod app;
mod client;
mod command;
mod database;
mod facts;
mod faults;
mod metrics;
mod patience;
mod provider;
mod server;
mod smtp;
mod wire;

pub(crate) use task_support::chance::Chance;
pub(crate) use task_support::proxy::Proxy;
pub(crate) use test_support::Backend;

pub(crate) use app::{App, enrol};
pub(crate) use client::{Client, texts};
pub(crate) use command::{Build, Finished, finish, program};
pub(crate) use database::Database;
pub(crate) use facts::{later, now};
pub(crate) use faults::{Fault, Faults};
pub(crate) use metrics::Metrics;
pub(crate) use patience::eventually;
pub(crate) use provider::IdentityProvider;
pub(crate) use server::{Options, Server};
pub(crate) use smtp::{MailServer, Turn};
pub(crate) use wire::{Answer, Request, Wire};

/// Whether the long versions of suites are to be run.
pub(crate) fn is_full() -> bool {
    std::env::var_os("NOLAPSE_TEST_FULL").is_some()
}

/// For each named function with a parameter [`Backend`], makes one test for each database.
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

/// Makes one test for each database of `$long`, the long version of a suite, which runs only if [`is_full`].
macro_rules! at_length {
    ($long:expr) => {
        mod at_length {
            use crate::support::Backend;

            #[test]
            fn sqlite_full() {
                super::run_full(Backend::Sqlite);
            }

            #[test]
            fn postgresql_full() {
                super::run_full(Backend::PostgreSql);
            }
        }

        fn run_full(backend: Backend) {
            if crate::support::is_full() {
                let long: fn(Backend) = $long;
                long(backend);
            } else {
                println!("left out: the long version runs with `cargo xtask test --full`");
            }
        }
    };
}

pub(crate) use {at_length, both};
