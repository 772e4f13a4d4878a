//! What the project's development programs share: running cargo and other programs, starting servers, failures and
//! output.
//!
//! Plain processes and few crates, none of this workspace: the tasks build in seconds and work while the product does
//! not compile.

pub mod args;
pub mod fail;
pub mod interrupt;
pub mod process;
pub mod product;
pub mod project;
pub mod say;
pub mod services;
