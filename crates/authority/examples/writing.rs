//! What it costs to write down uses: so many tokens are used, all of them and then every sixteenth, in one hour and again,
//! and each time everything is written without a rest.
//!
//! Usage: `writing N`, on SQLite, and on PostgreSQL where there is one: `cargo xtask services -- cargo run --release -p authority
//! --example writing 200000`. Prints wall time a token and the longest unit of work, which is what a create may wait behind.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use authority::usage::{FlushShare, Next};
use test_support::world::origin;
use test_support::{Db, World};

/// Tokens that are made at once.
const PART: usize = 5_000;

fn main() -> ExitCode {
    let Some(count) = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok()) else {
        return ExitCode::from(2);
    };
    Db::each(async |db| {
        let world = World::new(db).await;
        let mut secrets = Vec::new();
        while secrets.len() < count {
            let part = PART.min(count - secrets.len());
            match world.tokens.seed(world.owner.organization_id, part, &origin()).await {
                Ok(made) => secrets.extend(made),
                Err(error) => return println!("{:?}: {error}", db.backend()),
            }
        }
        for (what, every) in [("all", 1), ("all again", 1), ("every 16th", 16), ("every 16th again", 16)] {
            let mut used = 0_u32;
            for secret in secrets.iter().step_by(every) {
                used += u32::from(world.is_live(secret.expose()).await);
            }
            let (took, longest) = written(&world).await;
            println!("{:?}, {what}: {:?} a token, longest unit {longest:?}", db.backend(), took / used.max(1));
        }
    });
    ExitCode::SUCCESS
}

/// How long writing took, and its longest unit of work.
async fn written(world: &World) -> (Duration, Duration) {
    let longest = std::sync::Mutex::new(Duration::ZERO);
    let begun = Instant::now();
    // At half of the time, a rest is as long as the work was; none is taken.
    let half = FlushShare::percent(50).unwrap_or(FlushShare::ALL);
    let rest = |took: Duration| {
        if let Ok(mut longest) = longest.lock() {
            *longest = took.max(*longest);
        }
        std::future::ready(Next::Unit)
    };
    if let Err(error) = world.validator.flush_at_pace(half, rest).await {
        println!("not written: {error}");
    }
    (begun.elapsed(), longest.into_inner().unwrap_or_default())
}
