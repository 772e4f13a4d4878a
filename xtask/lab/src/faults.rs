//! What goes wrong during a run. Each fault ends with everything running again; it says what it does as it goes.

use crate::cluster::Cluster;
use crate::node::{Clock, Node};
use crate::postgres::{LEADER_TTL, family, signal, until};
use crate::psql;
use rustix::process::Signal;
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::chance::Chance;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::POLL;
use task_support::proxy::Proxy;
use task_support::services::Redis;
use task_support::{interrupt, say};

/// A kind of fault.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    needs: Needs,
    /// Whether it is chosen when no faults are named.
    pub(crate) is_usual: bool,
    run: fn(&mut Cluster, &mut Chance) -> Result,
}

/// What a fault needs of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Standby,
    Redis,
}

/// All there are.
pub(crate) static FAULTS: [Fault; 16] = [
    Fault {
        name: "suspend",
        about: "a node stops for a while (SIGSTOP)",
        needs: Needs::Nothing,
        is_usual: true,
        run: suspend,
    },
    Fault {
        name: "kill",
        about: "a node ends without a word (SIGKILL)",
        needs: Needs::Nothing,
        is_usual: true,
        run: kill,
    },
    Fault {
        name: "restart",
        about: "all nodes are restarted in order, one after the other",
        needs: Needs::Nothing,
        is_usual: true,
        run: restart,
    },
    Fault {
        name: "cut",
        about: "a node's connections to the database end, and new ones are refused",
        needs: Needs::Nothing,
        is_usual: true,
        run: cut,
    },
    Fault {
        name: "silence",
        about: "nothing passes between a node and the database any more",
        needs: Needs::Nothing,
        is_usual: true,
        run: silence,
    },
    Fault {
        name: "clock",
        about: "a node is restarted with a clock that is an hour off",
        needs: Needs::Nothing,
        is_usual: true,
        run: clock,
    },
    Fault {
        name: "freeze",
        about: "the primary and all its processes stop for a while",
        needs: Needs::Nothing,
        is_usual: true,
        run: freeze,
    },
    Fault {
        name: "terminate",
        about: "every session of the nodes is ended at the server",
        needs: Needs::Nothing,
        is_usual: true,
        run: terminate,
    },
    Fault {
        name: "failover",
        about: "the primary is killed, and the standby takes its place, or it comes back by itself",
        needs: Needs::Standby,
        is_usual: true,
        run: failover,
    },
    Fault {
        name: "standby",
        about: "the standby receives nothing for a while, so that commits wait",
        needs: Needs::Standby,
        is_usual: true,
        run: standby,
    },
    Fault {
        name: "cancel",
        about: "as standby, and an operator cancels the commits that wait",
        needs: Needs::Standby,
        is_usual: true,
        run: cancel,
    },
    Fault {
        name: "stray",
        about: "Patroni dies beside the primary, which goes on after the standby has taken its place",
        needs: Needs::Standby,
        is_usual: false,
        run: stray,
    },
    Fault {
        name: "redis-lost",
        about: "Redis ends without a word (SIGKILL) and comes back empty",
        needs: Needs::Redis,
        is_usual: true,
        run: redis_lost,
    },
    Fault {
        name: "redis-flush",
        about: "Redis forgets everything",
        needs: Needs::Redis,
        is_usual: true,
        run: redis_flush,
    },
    Fault {
        name: "redis-poison",
        about: "everything in Redis is put back some time later as it was, to stay for an hour",
        needs: Needs::Redis,
        is_usual: true,
        run: redis_poison,
    },
    Fault {
        name: "redis-hang",
        about: "Redis stops for a while (SIGSTOP)",
        needs: Needs::Redis,
        is_usual: true,
        run: redis_hang,
    },
];

/// The faults to choose from: those named, or the usual ones that the cluster is fit for.
///
/// # Errors
/// If one does not exist or needs what the cluster lacks.
pub(crate) fn chosen(names: Option<&str>, cluster: &Cluster) -> Result<Vec<&'static Fault>> {
    let fits = |fault: &Fault| match fault.needs {
        Needs::Nothing => true,
        Needs::Standby => cluster.database.ports().len() > 1,
        Needs::Redis => cluster.redis.is_some(),
    };
    let Some(names) = names else {
        return Ok(FAULTS.iter().filter(|fault| fault.is_usual && fits(fault)).collect());
    };
    let find = |name: &str| match FAULTS.iter().find(|fault| fault.name == name) {
        Some(fault) if fits(fault) => Ok(fault),
        Some(fault) => {
            let option = if fault.needs == Needs::Redis { "--redis" } else { "--patroni" };
            Err(Fail::usage(format!("the fault {name} needs {option}")))
        }
        None => Err(Fail::usage(format!("there is no fault {name:?}: {}", all_names()))),
    };
    names.split(',').filter(|name| *name != "none").map(find).collect()
}

fn all_names() -> String {
    FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// Lets it happen, and waits until every node is ready again.
    pub(crate) fn happen(&self, cluster: &mut Cluster, chance: &mut Chance) -> Result {
        (self.run)(cluster, chance)?;
        cluster.database.until_primary()?;
        cluster.nodes.iter_mut().try_for_each(Node::until_ready)
    }
}

/// Waits, unless the task is told to stop.
pub(crate) fn pause(time: Duration) -> Result {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        interrupt::check()?;
        sleep(left.min(POLL));
    }
    Ok(())
}

/// Shorter or longer than a lease.
fn a_while(chance: &mut Chance) -> Duration {
    Duration::from_millis(*chance.pick(&[200, 1_000, 3_000, 7_000]))
}

fn node<'a>(cluster: &'a mut Cluster, chance: &mut Chance) -> &'a mut Node {
    let at = chance.below(cluster.nodes.len());
    &mut cluster.nodes[at]
}

fn suspend(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let node = node(cluster, chance);
    say::note(format!("{} for {time:?}", node.name));
    node.signal(Signal::STOP);
    let waited = pause(time);
    node.signal(Signal::CONT);
    waited
}

fn kill(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let node = node(cluster, chance);
    say::note(format!("{}, back after {time:?}", node.name));
    node.kill()?;
    pause(time)?;
    node.start(Clock::Right)
}

fn restart(cluster: &mut Cluster, _: &mut Chance) -> Result {
    for node in &mut cluster.nodes {
        node.stop()?;
        node.start(Clock::Right)?;
        node.until_ready()?;
        // The front has to notice it before the next one goes.
        pause(Duration::from_millis(500))?;
    }
    Ok(())
}

fn cut(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    disconnect(cluster, chance, Proxy::cut)
}

fn silence(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    disconnect(cluster, chance, Proxy::silence)
}

fn disconnect(cluster: &mut Cluster, chance: &mut Chance, how: fn(&Proxy)) -> Result {
    let time = a_while(chance);
    let node = node(cluster, chance);
    say::note(format!("{} for {time:?}", node.name));
    node.with_proxies(how);
    let waited = pause(time);
    node.with_proxies(Proxy::open);
    waited
}

fn clock(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let clock = *chance.pick(&[Clock::HourAhead, Clock::HourBehind]);
    let time = a_while(chance);
    let node = node(cluster, chance);
    say::note(format!("{}, {clock:?}, for {time:?}", node.name));
    node.stop()?;
    node.start(clock)?;
    node.until_ready()?;
    pause(time)?;
    node.stop()?;
    node.start(Clock::Right)
}

fn freeze(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let primary = cluster.database.until_primary()?;
    let all = cluster.database.postmaster(primary).map(family).unwrap_or_default();
    say::note(format!("{} processes for {time:?}", all.len()));
    for process in &all {
        signal(Some(*process), Signal::STOP);
    }
    let waited = pause(time);
    for process in &all {
        signal(Some(*process), Signal::CONT);
    }
    waited
}

fn terminate(cluster: &mut Cluster, _: &mut Chance) -> Result {
    let port = cluster.database.ports()[cluster.database.until_primary()?];
    let count =
        psql::ask(port, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'nolapse'")?;
    say::note(format!("{count} sessions"));
    Ok(())
}

fn failover(cluster: &mut Cluster, _: &mut Chance) -> Result {
    cluster.database.until_synchronous()?;
    // Patroni writes down a little later that the standby may take over.
    pause(Duration::from_secs(3))?;
    let old = cluster.database.until_primary()?;
    let began = Instant::now();
    signal(cluster.database.postmaster(old), Signal::KILL);
    let new = cluster.database.until_primary()?;
    let how = if new == old { "came back by itself" } else { "was replaced" };
    say::note(format!("postgres-{old} {how} after {:.1} s", began.elapsed().as_secs_f64()));
    cluster.database.until_synchronous()
}

fn standby(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    without_standby(cluster, time, |_| Ok(()))
}

fn cancel(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    without_standby(cluster, time, |port| {
        let cancelled =
            psql::ask(port, "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")?;
        say::note(format!("{cancelled} commits cancelled"));
        Ok(())
    })
}

fn without_standby(cluster: &mut Cluster, time: Duration, meanwhile: impl FnOnce(u16) -> Result) -> Result {
    cluster.database.until_synchronous()?;
    let port = cluster.database.ports()[cluster.database.until_primary()?];
    let receiver = cluster.database.wal_receiver();
    say::note(format!("for {time:?}"));
    signal(receiver, Signal::STOP);
    let waited = pause(time).and_then(|()| meanwhile(port));
    signal(receiver, Signal::CONT);
    waited?;
    cluster.database.until_synchronous()
}

/// The first node stays with the old primary while the others are cut off from it, or all of them reach both.
fn stray(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let is_parted = chance.below(2) == 0;
    cluster.database.until_synchronous()?;
    // Patroni writes down a little later that the standby may take over.
    pause(Duration::from_secs(3))?;
    let old = cluster.database.until_primary()?;
    let new_port = cluster.database.ports()[1 - old];
    cluster.database.abandon(old)?;
    say::note(format!("Patroni is gone beside postgres-{old}; its place is free after {LEADER_TTL} s"));
    let is_promoted = || psql::ask(new_port, "SELECT pg_is_in_recovery()").is_ok_and(|said| said == "f");
    let promoted = until("the standby has not taken over", || is_promoted().then_some(()));
    let who = if is_parted { "one node reaches both" } else { "all nodes reach both" };
    say::note(format!("both are primaries, for 10 s; {who}"));
    if is_parted {
        cluster.nodes.iter().skip(1).for_each(|node| node.with_proxy(old, Proxy::cut));
    }
    let ended = promoted.and_then(|()| pause(Duration::from_secs(10)));
    cluster.nodes.iter().for_each(|node| node.with_proxy(old, Proxy::open));
    cluster.database.readopt()?;
    ended?;
    cluster.database.until_synchronous()
}

fn redis(cluster: &mut Cluster) -> Result<&mut Redis> {
    cluster.redis.as_mut().ok_or_else(|| Fail::usage("a fault of Redis needs --redis"))
}

fn redis_lost(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let redis = redis(cluster)?;
    say::note(format!("back after {time:?}"));
    redis.kill()?;
    let waited = pause(time);
    redis.start_again()?;
    waited
}

fn redis_flush(cluster: &mut Cluster, _: &mut Chance) -> Result {
    redis(cluster)?.ask(&["FLUSHALL"]).attempt(|| "empty Redis".into()).map(drop)
}

fn redis_poison(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let redis = redis(cluster)?;
    let all = redis.all("*").attempt(|| "read Redis".into())?;
    say::note(format!("{} values, after {time:?}", all.len()));
    // What was revoked meanwhile is in them as it was before.
    let waited = pause(time);
    for (key, value) in &all {
        redis.plant(key, value).attempt(|| "write to Redis".into())?;
    }
    waited
}

fn redis_hang(cluster: &mut Cluster, chance: &mut Chance) -> Result {
    let time = a_while(chance);
    let redis = redis(cluster)?;
    say::note(format!("for {time:?}"));
    redis.signal(Signal::STOP);
    let waited = pause(time);
    redis.signal(Signal::CONT);
    waited
}
