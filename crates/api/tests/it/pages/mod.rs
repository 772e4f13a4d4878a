//! The dashboard as a browser without scripts meets it: pages, forms, cookies, redirects.

mod browser;
mod forms;
mod oversight;
mod sizes;
mod texts;
mod tokens;
