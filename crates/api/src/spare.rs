//! Whether the processors have idle time, as the kernel counts it.
//!
//! Work in the background takes a small share of the processor so that requests do not wait for it; on an idle machine that
//! share would only delay the work. Idle time tells the two apart. Two other measures lost: a load average lags by minutes,
//! and timers fire in time even on a busy machine, because the kernel prefers threads that wake up.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The measured interval. The kernel counts in hundredths of a second, which makes twenty on every processor.
const STRETCH: Duration = Duration::from_millis(200);
/// The least idle share in percent with which there is time to spare.
const ENOUGH_IDLE: u64 = 25;

/// Processor time since the machine started, of all processors together and of each.
const MACHINE: &str = "/proc/stat";
/// Which processors this process may run on: fewer than the machine has under `CPUAffinity=`, `taskset` or a cpuset.
const STATUS: &str = "/proc/self/status";
/// Which control groups this process is in (cgroups(7)).
const OWN: &str = "/proc/self/cgroup";
/// The folder of the groups. The `cpu.stat` of each counts how often the group was throttled at its limit, if it has
/// one.
const GROUPS: &str = "/sys/fs/cgroup";

/// Watches the processors.
#[derive(Debug, Default)]
pub(crate) struct Processors(Mutex<Option<Look>>);

#[derive(Debug)]
struct Look {
    at: Instant,
    counts: Counts,
    has_time: bool,
}

/// The kernel's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    idle: u64,
    all: u64,
    /// How often the groups were throttled.
    stopped: u64,
}

impl Processors {
    /// Whether there was time to spare recently. False if the counters cannot be read.
    pub(crate) fn have_time(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = last.as_ref().filter(|look| look.at.elapsed() < STRETCH) {
            return look.has_time;
        }
        let Some(counts) = fs::read_to_string(MACHINE).ok().and_then(|machine| {
            let own = fs::read_to_string(OWN).unwrap_or_default();
            let groups = groups(&own).into_iter();
            // A group without a limit, or invisible from inside a container, has no counter.
            let told: String = groups.filter_map(|group| fs::read_to_string(group.join("cpu.stat")).ok()).collect();
            let status = fs::read_to_string(STATUS).unwrap_or_default();
            Counts::parse(&machine, &allowed(&status), &told)
        }) else {
            return false;
        };
        let has_time = last.as_ref().is_some_and(|before| counts.have_time_since(&before.counts));
        *last = Some(Look { at: Instant::now(), counts, has_time });
        has_time
    }
}

impl Counts {
    /// Parses the kernel's texts: lines `cpu3 user nice system idle iowait …`, and a line `nr_throttled n` of each group.
    /// Counts only the processors that this process may run on; all of them if the list is empty.
    fn parse(machine: &str, allowed: &[RangeInclusive<u32>], groups: &str) -> Option<Self> {
        let is_counted = |name: &str| match name.parse::<u32>() {
            Ok(number) => allowed.iter().any(|range| range.contains(&number)),
            // The line of all together.
            Err(_) => name.is_empty() && allowed.is_empty(),
        };
        let lines = machine.lines().filter_map(|line| line.strip_prefix("cpu")?.split_once(' '));
        let mut counts = None;
        for (_, times) in lines.filter(|(name, _)| is_counted(name)) {
            let times: Vec<u64> = times.split_whitespace().map_while(|time| time.parse().ok()).collect();
            let counted: &mut Self = counts.get_or_insert_default();
            counted.idle += times.get(3)?;
            // The time of guests is included in the first two fields.
            counted.all += times.iter().take(8).sum::<u64>();
        }
        let stopped = groups.lines().filter_map(|line| line.strip_prefix("nr_throttled "));
        let stopped = stopped.filter_map(|count| count.trim().parse::<u64>().ok()).sum();
        counts.map(|counts| Self { stopped, ..counts })
    }

    fn have_time_since(&self, before: &Self) -> bool {
        let (idle, all) = (self.idle.saturating_sub(before.idle), self.all.saturating_sub(before.all));
        all > 0 && self.stopped == before.stopped && idle * 100 >= all * ENOUGH_IDLE
    }
}

/// The processors of a line such as `Cpus_allowed_list: 0-3,8`.
fn allowed(status: &str) -> Vec<RangeInclusive<u32>> {
    let ranges = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    ranges.trim().split(',').filter_map(range).collect()
}

/// The folders of this process's control group and of its parents, whose limits apply too. A systemd service is in its
/// own group, a slice or two below the root, which has no limit.
fn groups(own: &str) -> Vec<PathBuf> {
    // `number:controllers:path`. Version 2 has one hierarchy, with an empty list of controllers; version 1 has one for
    // each controller or group of controllers, in a folder of their names.
    let lines = || {
        own.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            parts.next().zip(parts.next())
        })
    };
    let of_processors = lines().find(|(controllers, _)| controllers.split(',').any(|name| name == "cpu"));
    let (root, path) = match of_processors {
        Some((controllers, path)) => (Path::new(GROUPS).join(controllers), path),
        None => (GROUPS.into(), lines().find(|(controllers, _)| controllers.is_empty()).map_or("/", |(_, path)| path)),
    };
    let path = Path::new(path.trim_start_matches('/'));
    // A path outside of the cgroup namespace begins with `..`.
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return vec![root];
    }
    path.ancestors().map(|group| root.join(group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_a_process_are_its_own_and_all_above() {
        let rows: [(&str, &[&str]); 6] = [
            ("0::/\n", &[""]),
            ("0::/system.slice/nolapse-api.service\n", &["system.slice/nolapse-api.service", "system.slice", ""]),
            (
                "12:memory:/other\n4:cpu,cpuacct:/docker/3f7a\n0::/system.slice/docker.service\n",
                &["cpu,cpuacct/docker/3f7a", "cpu,cpuacct/docker", "cpu,cpuacct"],
            ),
            ("3:cpuset:/a\n0::/b\n", &["b", ""]),
            ("0::/../outside\n", &[""]),
            ("", &[""]),
        ];
        for (own, expected) in rows {
            let expected: Vec<PathBuf> = expected.iter().map(|group| Path::new(GROUPS).join(group)).collect();
            assert_eq!(groups(own), expected, "{own:?}");
        }
    }

    #[test]
    fn idle_time_is_what_counts_unless_the_group_is_stopped_at_its_limit() {
        let counts = |idle: u64, busy: u64, stopped: u64| {
            let machine = format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3 4 5\nintr 9\n");
            // The `cpu.stat` of the process's own group and of one above it.
            let group = format!("usage_usec 5\nnr_periods 7\nnr_throttled 2\nusage_usec 5\nnr_throttled {stopped}\n");
            Counts::parse(&machine, &[], &group).unwrap()
        };
        let before = counts(1_000, 1_000, 3);
        for (after, has_time) in [
            (counts(1_040, 1_000, 3), true),
            (counts(1_010, 1_030, 3), true),
            (counts(1_009, 1_031, 3), false),
            (counts(1_000, 1_040, 3), false),
            (counts(1_040, 1_000, 4), false),
            (before, false),
        ] {
            assert_eq!(after.have_time_since(&before), has_time, "{after:?}");
        }
        assert_eq!(Counts::parse("cpu  1 2 3\n", &[], ""), None);
        assert_eq!(Counts::parse("", &[], ""), None);
        assert_eq!(
            Counts::parse("cpu  1 2 3 4 5 6 7 8 9 10\n", &[], "").map(|counts| counts.all),
            Some(36),
            "without guests"
        );
    }

    #[test]
    fn only_the_processors_that_this_process_may_run_on_count() {
        let machine = "cpu  60 0 0 300\ncpu0 10 0 0 100\ncpu1 20 0 0 90\ncpu2 30 0 0 110\ncpu11 0 0 0 0\nintr 9\n";
        for (status, expected) in [
            ("Cpus_allowed:\tf\nCpus_allowed_list:\t0\nMems_allowed:\t1\n", (100, 110)),
            ("Cpus_allowed_list:\t1-2\n", (200, 250)),
            ("Cpus_allowed_list:\t0,2-10\n", (210, 250)),
            ("Cpus_allowed_list:\t0-127\n", (300, 360)),
            ("Name:\tnolapse-api\n", (300, 360)),
        ] {
            let counts = Counts::parse(machine, &allowed(status), "").unwrap();
            assert_eq!((counts.idle, counts.all), expected, "{status:?}");
        }
        assert_eq!(Counts::parse(machine, &allowed("Cpus_allowed_list:\t7\n"), ""), None, "none that is counted");
        // The kernel's own text, of the process that runs this.
        assert!(!allowed(&fs::read_to_string(STATUS).unwrap()).is_empty());
    }

    #[test]
    fn the_first_look_knows_nothing() {
        assert!(!Processors::default().have_time());
    }
}
