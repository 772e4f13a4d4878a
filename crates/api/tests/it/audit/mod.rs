//! The audit trail for its readers: lists, exports, verification.

mod command;
mod export;
mod list;
mod verify;
