//! Scopes in the API: the catalogue, evaluation, and refusals for missing scopes.

mod additions;
mod evaluate;
mod refusals;
