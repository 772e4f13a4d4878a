//! Has an operator's order carried out: by the running server, or by this process while no server runs.

use std::time::Duration;

use authority::operator::{Operator, Order, Outcome, PATIENCE};
use authority::replay::Thoroughness;
use storage::instance::AcquireError;
use storage::{DatabaseUrl, Store};
use tokio::runtime::Runtime;

use super::{Failure, serve};
use crate::assembly::{Services, database_url, store_options};
use crate::config::Config;
use crate::membership::Entrance;

/// The time between two polls for the server's answer.
const LOOK: Duration = Duration::from_millis(100);

/// Has an order carried out; returns the id of the person or organisation it concerns.
pub(super) fn give(config: &Config, order: &Order) -> Result<String, Failure> {
    let background = serve::background()?;
    background.block_on(carry_out(config, &background, order))
}

/// On SQLite, the server that has locked the file executes the order; this process executes it while no server runs. On
/// PostgreSQL, this process registers as one more node and executes it.
async fn carry_out(config: &Config, background: &Runtime, order: &Order) -> Result<String, Failure> {
    let url = database_url(config)?;
    let entrance = match Entrance::enter(&url).await {
        Ok(entrance) => entrance,
        Err(error) if matches!(error.downcast_ref(), Some(AcquireError::AlreadyRunning(_))) => {
            let store = Store::open(&url, store_options(&config.database), background.handle().clone()).await?;
            let answer = ask(&store, order).await;
            store.shutdown().await;
            return answer;
        }
        Err(error) => return Err(error),
    };
    serving(entrance, config, &url, background, async |services| {
        if let Some(ledger) = services.context.ledger() {
            ledger.settle(&services.context, Thoroughness::Newest).await?;
        }
        Ok(Operator::new(&services.context).carry_out(order).await?)
    })
    .await
}

/// Enters the deployment as a server would, and does something with its services.
pub(super) async fn with_services<T>(
    config: &Config,
    background: &Runtime,
    work: impl AsyncFnOnce(&Services) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let url = database_url(config)?;
    serving(Entrance::enter(&url).await?, config, &url, background, work).await
}

/// Joins the other servers after the entrance, does something with the services, and leaves.
pub(super) async fn serving<T>(
    entrance: Entrance,
    config: &Config,
    url: &DatabaseUrl,
    background: &Runtime,
    work: impl AsyncFnOnce(&Services) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let joined = entrance.join(config, url, background.handle()).await?;
    let context = &joined.services.context;
    joined.membership.follow(context).await?;
    context.resume_time().await?;
    let done = work(&joined.services).await;
    joined.leave().await;
    done
}

/// Leaves the order for the server and waits for its answer.
async fn ask(store: &Store, order: &Order) -> Result<String, Failure> {
    order.leave(store).await?;
    let looks = PATIENCE.as_seconds() * 1_000 / i64::try_from(LOOK.as_millis()).unwrap_or(100);
    for _ in 0..looks {
        tokio::time::sleep(LOOK).await;
        match order.answer(store).await? {
            Some(Outcome::Done(id)) => return Ok(id),
            Some(Outcome::Refused(why)) => return Err(why.into()),
            None => {}
        }
    }
    if order.take_back(store).await? {
        return Err("the server that uses this database did not carry out the command: check the server, or stop it and try again".into());
    }
    Err(format!("the server did not report the result: look for {} before you try again", order.whereabouts()).into())
}
