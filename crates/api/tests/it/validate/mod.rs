//! `POST /v1/auth/validate`, the hot path: its exact answers, and their cost.

mod answers;
mod batch;
mod cost;
mod forward;
mod introspect;
