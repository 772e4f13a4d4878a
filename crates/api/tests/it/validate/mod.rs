//! `POST /v1/auth/validate`, the hot path: its exact answers, and what an answer may cost.

mod answers;
mod batch;
mod cost;
mod forward;
mod introspect;
