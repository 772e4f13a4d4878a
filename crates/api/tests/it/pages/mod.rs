//! The dashboard in a browser without scripts: pages, forms, cookies, redirects.

pub(crate) mod browser;
mod forms;
mod leaks;
mod oversight;
mod provider;
mod resets;
mod sizes;
mod sso;
mod texts;
mod tokens;
mod trust;
