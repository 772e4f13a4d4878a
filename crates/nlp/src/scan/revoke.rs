//! `--revoke`: revokes the tokens that were found. The holder of a secret may revoke it, so no sign-in is needed.

use client::{Client, types};

use super::finding::Finding;
use crate::failure::Result;
use crate::terminal;

/// The most tokens of one request.
const MOST: usize = 1000;
/// How many hints the question shows.
const SHOWN: usize = 5;

/// Asks once, revokes the tokens and records it. Tokens that `--check` found not to be live are left out. After a no
/// nothing is revoked, and the report is still written.
pub(super) fn revoke(client: &Client, url: &str, findings: &mut [Finding], yes: bool) -> Result<()> {
    let mut ahead: Vec<&mut Finding> = findings.iter_mut().filter(|finding| finding.live != Some(false)).collect();
    if ahead.is_empty() || !terminal::agrees(&question(&ahead, url), yes)? {
        return Ok(());
    }
    for part in ahead.chunks_mut(MOST) {
        let credentials = part.iter().map(|finding| finding.token.expose().into()).collect();
        client.revoke_credentials(&types::FoundCredentials { credentials })?;
        for finding in part {
            finding.revoked = true;
            finding.live = finding.live.map(|_| false);
        }
    }
    Ok(())
}

fn question(findings: &[&mut Finding], url: &str) -> String {
    let mut hints: Vec<&str> = findings.iter().take(SHOWN).map(|finding| finding.hint.as_str()).collect();
    let more = format!("and {} more", findings.len().saturating_sub(SHOWN));
    if findings.len() > SHOWN {
        hints.push(&more);
    }
    format!("Revoke {} at {url}?", hints.join(", "))
}
