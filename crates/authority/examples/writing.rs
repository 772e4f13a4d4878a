//! What it costs to write down uses: so many tokens are used, all of them and then every sixteenth, in one hour and again,
//! and each time everything is written without a rest.
//!
//! Usage: `writing N`, on SQLite, and on PostgreSQL where there is one: `cargo xtask services -- cargo run --release -p authority
//! --example writing 200000`. Prints wall time a token and the longest unit of work, which is what a create may wait behind.

#![expect(clippy::print_stdout, reason = "what it measured is its output")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use authority::tokens::TokenError;
use authority::usage::{FlushShare, Next};
use test_support::{Db, World};

/// Tokens that are made at once.
const PART: usize = 5_000;

fn main() -> ExitCode {
    let Some(count) = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok()) else {
        return ExitCode::from(2);
    };
    let failed = AtomicBool::new(false);
    Db::each(async |db| {
        if let Err(error) = measure(db, count).await {
            failed.store(true, Ordering::Relaxed);
            println!("{:?}: {error}", db.backend());
        }
    });
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(db: &Db, count: usize) -> Result<(), TokenError> {
    let world = World::new(db).await;
    let mut secrets = Vec::new();
    while secrets.len() < count {
        let part = PART.min(count - secrets.len());
        secrets.extend(world.seed(part).await);
    }
    for (what, every) in [("all", 1), ("all again", 1), ("every 16th", 16), ("every 16th again", 16)] {
        let mut used = 0_u32;
        for secret in secrets.iter().step_by(every) {
            used += u32::from(world.is_live(secret.expose()).await);
        }
        let (took, longest) = written(&world).await?;
        println!("{:?}, {what}: {:?} a token, longest unit {longest:?}", db.backend(), took / used.max(1));
    }
    Ok(())
}

/// How long writing took, and its longest unit of work.
async fn written(world: &World) -> Result<(Duration, Duration), TokenError> {
    let longest = Mutex::new(Duration::ZERO);
    let begun = Instant::now();
    // At half of the time, a rest is as long as the work was; none is taken.
    let half = FlushShare::percent(50).unwrap_or(FlushShare::ALL);
    let rest = |took: Duration| {
        if let Ok(mut longest) = longest.lock() {
            *longest = took.max(*longest);
        }
        std::future::ready(Next::Unit)
    };
    world.validator.flush_at_pace(|| half, rest).await?;
    Ok((begun.elapsed(), longest.into_inner().unwrap_or_default()))
}
