//! The dashboard as a browser without scripts meets it: pages, forms, cookies, redirects.

mod browser;
mod forms;
mod sizes;
mod texts;
mod tokens;
