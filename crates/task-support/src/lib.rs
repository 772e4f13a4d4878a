//! What the project's own programs share: how they call cargo and other programs, start servers, fail and speak.
//!
//! Plain processes and few crates, none of them ours: the tasks build in seconds and work while the product does not
//! compile.

pub mod args;
pub mod fail;
pub mod interrupt;
pub mod process;
pub mod product;
pub mod project;
pub mod say;
pub mod services;
