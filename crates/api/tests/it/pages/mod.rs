//! The dashboard in a browser without scripts: pages, forms, cookies, redirects.

mod browser;
mod forms;
mod oversight;
mod resets;
mod sizes;
mod texts;
mod tokens;
mod trust;
