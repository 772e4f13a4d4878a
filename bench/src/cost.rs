//! Processor time and memory of a process, from `/proc`. Source: proc(5).

use std::time::Duration;
use task_support::fail::{Context as _, Result};

/// Processor time, user and system, of some processes since they began.
///
/// `family` also counts the direct children of each process, living and gone: a PostgreSQL postmaster does its work
/// in its children.
pub(super) fn cpu_time(pids: &[Observed]) -> Result<Duration> {
    let mut ticks = 0;
    for observed in pids {
        let own = Stat::read(observed.pid)?;
        ticks += own.ticks;
        if observed.family {
            ticks += own.ticks_of_gone_children + living_children(observed.pid);
        }
    }
    Ok(Duration::from_secs_f64(precise(ticks) / precise(rustix::param::clock_ticks_per_second())))
}

/// A process whose cost counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    /// Its id.
    pub(super) pid: u32,
    /// Whether its children count too.
    pub(super) family: bool,
}

/// Resident memory of a process in bytes.
pub(super) fn resident(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
    let kib = text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let kib: u64 = kib.ok_or("it has no VmRSS").attempt(|| format!("read the memory of process {pid}"))?;
    Ok(kib * 1024)
}

/// A count as a float; exact below 2^53, which no count of ticks or requests here comes near.
#[expect(clippy::cast_precision_loss, reason = "ticks and requests stay far below 2^53")]
pub(super) fn precise(count: u64) -> f64 {
    count as f64
}

/// The fields of `/proc/<pid>/stat` that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
    ticks_of_gone_children: u64,
}

impl Stat {
    fn read(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = std::fs::read_to_string(&path).attempt(|| format!("read {path}"))?;
        Self::parse(&text).ok_or("it has too few fields").attempt(|| format!("read {path}"))
    }

    /// Fields are counted after the program's name, which stands in parentheses and may contain anything.
    fn parse(text: &str) -> Option<Self> {
        let (_, after) = text.rsplit_once(')')?;
        // The first of these is field 3 of proc(5).
        let fields: Vec<_> = after.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(field(4)?).ok()?,
            ticks: field(14)? + field(15)?,
            ticks_of_gone_children: field(16)? + field(17)?,
        })
    }
}

fn living_children(parent: u32) -> u64 {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Skip processes that end meanwhile: their time is added to that of their parent's ended children.
    pids.filter_map(|pid| Stat::read(pid).ok()).filter(|stat| stat.parent == parent).map(|stat| stat.ticks).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "42 (a) b) (c) S 7 42 42 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 5 6 7";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat, Stat { parent: 7, ticks: 33, ticks_of_gone_children: 77 });
        assert_eq!(Stat::parse("42 (x) S 7"), None);
    }

    #[test]
    fn the_cost_of_this_process_can_be_read() {
        let me = Observed { pid: std::process::id(), family: true };
        let before = cpu_time(&[me]).unwrap();
        assert!(resident(me.pid).unwrap() > 1024 * 1024);
        assert!(cpu_time(&[me]).unwrap() >= before);
        assert!(resident(u32::MAX).is_err());
    }
}
