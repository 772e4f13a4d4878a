//! `--check`: which of the found tokens are live.

use client::{Client, Error, types};

use super::finding::Finding;
use crate::failure::Result;

/// Asks about each token and notes the answer. One question each, to the same connection: asking about a batch takes a
/// right that the scanning person need not have.
pub(super) fn check(client: &Client, findings: &mut [Finding]) -> Result<()> {
    for finding in findings {
        let body = types::ValidateRequest { token: finding.token.expose().into(), ..types::ValidateRequest::default() };
        finding.live = Some(match client.validate(&body) {
            Ok(_) => true,
            // Live, and not to be used from here or for this.
            Err(Error::Refused(refusal)) if refusal.status == 403 => true,
            Err(Error::Refused(refusal)) if refusal.status == 401 => false,
            Err(other) => return Err(other.into()),
        });
    }
    Ok(())
}
