//! So many cached validations and nothing else that depends on their number: what `cargo xtask bench instructions` counts.
//!
//! Usage: `validations N`. The tokens are few and known, one in four asks for a scope: what a gateway does all day, by the
//! very call that the handler makes.

use std::process::ExitCode;

use authority::validate::Outcome;
use test_support::world::origin;
use test_support::{Backend, Db, World};
use token_domain::Requirement;

/// Tokens that are asked about in turn.
const TOKENS: usize = 64;

fn main() -> ExitCode {
    let Some(count) = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok()) else {
        return ExitCode::from(2);
    };
    let lives = std::sync::atomic::AtomicUsize::new(0);
    Db::on(Backend::Sqlite, storage::StoreOptions::default(), async |db| {
        let world = World::new(db).await;
        let mut secrets = Vec::new();
        for _ in 0..TOKENS {
            let secret = world.issue(&["execute"]).await.secret.expose().to_owned();
            if world.is_live(&secret).await {
                secrets.push(secret);
            }
        }
        let read = world.context.catalogue().require_all(&["read"]).unwrap_or(Requirement::NOTHING);
        for (at, secret) in secrets.iter().cycle().take(count).enumerate() {
            let requirement = if at % 4 == 0 { &read } else { &Requirement::NOTHING };
            if let Ok(Outcome::Live(entry)) = world.validator.validate(secret, requirement, &origin).await {
                std::hint::black_box(entry.answer().as_ref());
                lives.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    });
    if lives.into_inner() == count { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
