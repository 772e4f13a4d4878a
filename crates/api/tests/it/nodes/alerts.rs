//! The alerts of the package: each looks at metrics that a node has, and that the operators' page explains.

use crate::support::{Backend, Database, Options, Server};

const RULES: &str = include_str!("../../../../../packaging/prometheus-alerts.yaml");
const PAGE: &str = include_str!("../../../../../docs/OPERATIONS.md");

/// The metrics that a text names.
fn named(text: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let starts = text.match_indices("nolapse_").map(|(at, _)| &text[at..]);
    starts.map(|rest| rest.split(|letter| !is_part(letter)).next().unwrap()).collect()
}

#[test]
fn each_alert_looks_at_a_metric_that_a_node_has_and_the_page_explains() {
    let database = Database::new(Backend::PostgreSql);
    let folder = database.folder().join("ledger");
    let server = Server::start_on(database, Options::default().with("ledger.directory", folder.display()));
    let scraped = server.anyone().get("/metrics");
    let series: Vec<&str> = scraped.text().lines().filter_map(|line| line.split([' ', '{']).next()).collect();
    let mut alerts = 0;
    for rule in RULES.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let expression = rule.lines().find_map(|line| line.trim().strip_prefix("expr: ")).unwrap();
        let metrics = named(expression);
        assert!(!metrics.is_empty(), "{name}");
        for metric in metrics {
            assert!(series.contains(&metric), "{name}: no node has {metric}");
            let explained = metric.strip_suffix("_bucket").unwrap_or(metric);
            assert!(PAGE.contains(&format!("`{explained}`")), "{name}: OPERATIONS does not explain {metric}");
        }
        alerts += 1;
    }
    assert!(alerts >= 9, "{alerts}");
}
