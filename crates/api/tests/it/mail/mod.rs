//! Mail, against a real mail server on a real socket.

mod addresses;
mod notices;
mod resets;
mod sending;
