//! Debian's Prometheus scrapes the server, and its query API has to return the series.

use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::interrupt;
use task_support::process::{Launch, need, output};
use task_support::services::start_on_free_port;

/// How long the first scrape may take. It usually happens within a second of the start.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(200);

/// Series that must exist, and their values if known.
const SERIES: [(&str, Option<&str>); 5] = [
    ("up{job=\"nolapse\"}", Some("1")),
    ("nolapse_build_info", Some("1")),
    ("process_resident_memory_bytes{job=\"nolapse\"}", None),
    ("sum(nolapse_http_requests_total)", None),
    ("histogram_quantile(0.5, sum by (le) (nolapse_http_hot_request_duration_seconds_bucket))", None),
];

/// Starts a Prometheus that scrapes the server at `base`, and checks the series.
pub(super) fn scrape(base: &str) -> Result {
    // It is in the package of `promtool`, which is installed already.
    let program = need("prometheus", "prometheus")?;
    let folder = tempfile::tempdir().attempt(|| "make a folder for Prometheus".into())?;
    let (settings, log) = (folder.path().join("prometheus.yml"), folder.path().join("log"));
    let target = base.trim_start_matches("http://");
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: nolapse, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    std::fs::write(&settings, text).attempt(|| format!("write {}", settings.display()))?;
    let start = |port: u16| {
        let said = File::create(&log).attempt(|| format!("create {}", log.display()))?;
        let errors = said.try_clone().attempt(|| format!("share {}", log.display()))?;
        Launch::new(&program)
            .args([
                format!("--config.file={}", settings.display()),
                format!("--storage.tsdb.path={}", folder.path().join("data").display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ])
            .start(said.into(), errors.into())
    };
    let (mut prometheus, port) = start_on_free_port(&log, start, |stream| {
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.contains(" 200 "))
    })?;
    for (query, wanted) in SERIES {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = value(port, query)?;
            if found.as_deref().is_some_and(|found| wanted.is_none_or(|wanted| found == wanted)) {
                break;
            }
            if Instant::now() > deadline {
                return Err(Fail::new(format!("Prometheus says of {query}: {found:?}")));
            }
            interrupt::check()?;
            sleep(PAUSE);
        }
    }
    prometheus.stop().map(drop)
}

/// The first value of a query; `None` without a matching series.
fn value(port: u16, query: &str) -> Result<Option<String>> {
    let address = format!("http://127.0.0.1:{port}/api/v1/query");
    let curl = need("curl", "curl")?;
    let said =
        output(Command::new(curl).args(["-sSf", "--get", &address, "--data-urlencode", &format!("query={query}")]))?;
    let answer: Value = serde_json::from_slice(&said).attempt(|| "read Prometheus' answer".into())?;
    Ok(answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned))
}
