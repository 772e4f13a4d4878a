//! The deployment's identity providers: the operator's file, and requests to them.

mod file;
mod requests;

pub(crate) use file::read;
pub(crate) use requests::ProviderRequests;
