//! Threads of the store, and how the kernel treats them beside those that answer requests.

use crate::error::StoreError;
use preempt_rt::sched::{Pid, Scheduler, SchedulerParams, set_scheduler};
use rustix::process::setpriority_process;
use std::thread::JoinHandle;

/// The nice value of threads that may be held up: a tenth of the weight of a thread that answers requests, so that a
/// list takes what they leave and is never stopped altogether (`SCHED_IDLE` would stop it on a busy machine).
const NICE: i32 = 10;

/// How much a thread matters beside those that answer requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Importance {
    /// As much, but it does not interrupt them when it wakes up.
    Equal,
    /// Much less: it runs when there is time to spare, and slowly when there is not.
    Low,
}

/// Starts a thread of the store.
pub(crate) fn start(
    name: &str,
    importance: Importance,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            yield_to_requests(importance);
            work();
        })
        .map_err(|error| StoreError::Broken(format!("cannot start the thread {name}: {error}")))
}

/// Has the kernel put this thread behind those that answer requests when it wakes up, instead of interrupting one of them.
///
/// With equal importance its share of the processor stays the same, and on an idle one it begins at once. Where threads
/// outnumber processors, every interruption makes all requests that have arrived wait for it; `bench/results/README.md` has the
/// figures.
fn yield_to_requests(importance: Importance) {
    let fixed = SchedulerParams { priority: 0 };
    if let Err(error) = set_scheduler(Pid::current_thread(), Scheduler::SCHED_BATCH, fixed) {
        tracing::debug!(%error, "a thread of the store keeps the scheduling policy it was started with");
    }
    // On Linux the priority set for "this process" is that of the calling thread alone.
    if importance == Importance::Low
        && let Err(error) = setpriority_process(None, NICE)
    {
        tracing::debug!(%error, "a thread of the store keeps the priority it was started with");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getpriority_process;
    use std::sync::mpsc::channel;

    #[test]
    fn a_thread_puts_itself_behind_the_others_and_leaves_them_as_they_are() {
        for (importance, nice) in [(Importance::Equal, 0), (Importance::Low, NICE)] {
            let (say, said) = channel();
            let thread = start("test", importance, move || {
                let policy = preempt_rt::sched::get_scheduler(Pid::current_thread()).unwrap();
                say.send((policy, getpriority_process(None).unwrap())).unwrap();
            });
            let before = getpriority_process(None).unwrap();
            assert_eq!(said.recv().unwrap(), (Scheduler::SCHED_BATCH, before + nice));
            thread.unwrap().join().unwrap();
            assert_eq!(getpriority_process(None).unwrap(), before);
        }
    }
}
