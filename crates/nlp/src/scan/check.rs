//! `--check`: which of the found tokens are live.

use client::{Client, Error, types};

use super::finding::Finding;
use crate::failure::Result;

/// Validates each token and records whether it is live. One request each, on one connection: validating a batch needs a
/// scope that the person who scans may lack.
pub(super) fn check(client: &Client, findings: &mut [Finding]) -> Result<()> {
    for finding in findings {
        let body = types::ValidateRequest { token: finding.token.expose().into(), ..types::ValidateRequest::default() };
        finding.live = Some(match client.validate(&body) {
            Ok(_) => true,
            // The token is live but not permitted from this address or for this use.
            Err(Error::Refused(refusal)) if refusal.status == 403 => true,
            Err(Error::Refused(refusal)) if refusal.status == 401 => false,
            Err(other) => return Err(other.into()),
        });
    }
    Ok(())
}
