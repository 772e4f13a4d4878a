//! The audit trail as its readers meet it: lists, files, and whether it is as it was written.

mod command;
mod export;
mod list;
mod verify;
