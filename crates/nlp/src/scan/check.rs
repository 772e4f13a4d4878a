//! `--check`: which of the found tokens are live.

use client::{Client, Error, types};

use super::finding::Finding;
use crate::failure::Result;
use crate::settings::Settings;

/// The most tokens of one request.
const MOST: usize = 1000;

/// Validates each token and records whether it is live: all in one request with a credential that may do that, else in one
/// request each, which takes no credential.
pub(super) fn check(settings: &Settings, findings: &mut [Finding]) -> Result<()> {
    let client = settings.client()?;
    let Some(credential) = settings.credential()? else { return one_by_one(&client.anonymous(), findings) };
    let client = client.with(credential.secret);
    for part in findings.chunks_mut(MOST) {
        let tokens = part.iter().map(|finding| finding.token.expose().into()).collect();
        match client.validate_batch(&types::BatchRequest { tokens }) {
            Ok(answer) => {
                for (finding, result) in part.iter_mut().zip(answer.results) {
                    finding.live = Some(match result {
                        types::BatchResult::ValidToken(_) => true,
                        // `valid` is true for a live token that is not permitted from this address.
                        types::BatchResult::InvalidToken(answer) => answer.valid,
                    });
                }
            }
            Err(Error::Refused(refusal)) if matches!(refusal.status, 401 | 403) => {
                one_by_one(&client.anonymous(), part)?;
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn one_by_one(client: &Client, findings: &mut [Finding]) -> Result<()> {
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
