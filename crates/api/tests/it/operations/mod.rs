//! Operation of the service: probes, set-up, commands, stopping, a second process.

mod commands;
mod copy;
mod disk;
mod doctor;
mod documents;
mod instance;
mod organization;
mod origins;
mod person;
mod probes;
mod setup;
mod stopping;
mod trouble;
