//! Mail, against a real mail server on a real socket.

mod notices;
mod sending;
