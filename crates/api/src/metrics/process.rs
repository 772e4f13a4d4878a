//! The process metrics of the Prometheus client libraries, under their usual names: CPU, memory, open files, start time.
//!
//! Read from `/proc` at each scrape. What cannot be read is left out, as other libraries do.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The collector. Registered at the root of the registry, so that its names have no prefix.
#[derive(Debug)]
pub(super) struct Process;

/// The values read; `None` for what could not be read.
#[derive(Debug, Default, PartialEq)]
struct Readings {
    cpu_seconds: Option<f64>,
    resident_bytes: Option<i64>,
    virtual_bytes: Option<i64>,
    started_at_seconds: Option<f64>,
    open_files: Option<i64>,
    most_files: Option<i64>,
    threads: Option<i64>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = Readings::take();
        if let Some(seconds) = now.cpu_seconds {
            let metric = ConstCounter::new(seconds);
            let help = "Total user and system CPU time spent in seconds";
            metric.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, metric.metric_type())?)?;
        }
        if let Some(moment) = now.started_at_seconds {
            let metric = ConstGauge::new(moment);
            let help = "Start time of the process since unix epoch in seconds";
            metric.encode(encoder.encode_descriptor(
                "process_start_time_seconds",
                help,
                None,
                metric.metric_type(),
            )?)?;
        }
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory size in bytes", now.resident_bytes),
            ("process_virtual_memory_bytes", "Virtual memory size in bytes", now.virtual_bytes),
            ("process_open_fds", "Number of open file descriptors", now.open_files),
            ("process_max_fds", "Maximum number of open file descriptors", now.most_files),
            ("process_threads", "Number of OS threads in the process", now.threads),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}

impl Readings {
    fn take() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        // One of the entries is the descriptor of the folder being read.
        let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1));
        Self {
            open_files: open.and_then(|open| i64::try_from(open).ok()),
            ..Self::of(
                &text("/proc/self/stat"),
                &text("/proc/self/status"),
                &text("/proc/self/limits"),
                &text("/proc/stat"),
            )
        }
    }

    /// Parses the process's `stat`, `status` and `limits` (proc(5)), and the machine's `stat`.
    fn of(stat: &str, status: &str, limits: &str, machine: &str) -> Self {
        // The second field is the program's name in brackets, which may contain any character.
        let fields: Vec<f64> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace()
            .skip(1)
            .map(|field| field.parse().unwrap_or(f64::NAN))
            .collect();
        // `fields` begins with field 4 of the file. Times are in hundredths of a second (`USER_HZ`) on every kernel.
        let field = |number: usize| fields.get(number - 4).copied().filter(|value| value.is_finite());
        let booted = labelled(machine, "btime ");
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds is far below 2^52")]
        let started = field(22).zip(booted).map(|(ticks, booted)| booted as f64 + ticks / 100.0);
        Self {
            cpu_seconds: field(14).zip(field(15)).map(|(user, system)| (user + system) / 100.0),
            resident_bytes: labelled(status, "VmRSS:").map(|kib| kib * 1024),
            virtual_bytes: labelled(status, "VmSize:").map(|kib| kib * 1024),
            started_at_seconds: started,
            open_files: None,
            most_files: labelled(limits, "Max open files"),
            threads: labelled(status, "Threads:"),
        }
    }
}

/// The first number of the line that begins with a label.
fn labelled(text: &str, label: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_proc_are_read() {
        let stat = "77 (nolapse) api) S 1 77 77 0 -1 4194560 900 0 0 0 250 150 0 0 20 0 12 0 4200 123456 789 18446744073709551615";
        let status = "Name:\tnolapse-api\nVmSize:\t  2048 kB\nVmRSS:\t    512 kB\nThreads:\t12\n";
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \n";
        let expected = Readings {
            cpu_seconds: Some(4.0),
            resident_bytes: Some(512 * 1024),
            virtual_bytes: Some(2048 * 1024),
            started_at_seconds: Some(1042.0),
            open_files: None,
            most_files: Some(1024),
            threads: Some(12),
        };
        assert_eq!(Readings::of(stat, status, limits, "cpu 1 2\nbtime 1000\n"), expected);
        assert_eq!(Readings::of("", "", "", ""), Readings::default());
    }

    #[test]
    fn this_process_can_be_read() {
        let now = Readings::take();
        assert!(
            now.open_files.is_some_and(|open| open > 0) && now.resident_bytes.is_some_and(|bytes| bytes > 0),
            "{now:?}"
        );
        assert!(now.cpu_seconds.is_some() && now.started_at_seconds.is_some() && now.most_files.is_some(), "{now:?}");
    }
}
