//! Lists of 100 000 entries: the first page, the one in the middle and the last, of every list that grows with use.
//!
//! Requests are sequential, so that no time includes waiting in a queue; pages alternate within a round.

use super::backend::Backend;
use super::client::Client;
use super::contender::{Amounts, Running};
use super::cost::{self, Observed, precise};
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::stage::Stage;
use super::stats::Spread;
use super::stock::Stock;
use std::time::Duration;
use task_support::fail::{Fail, Result};
use task_support::{interrupt, say};

/// The pages that are measured; the last has the last entries.
const PAGES: [usize; 3] = [1, 500, 1_000];
const LAST_PAGE: usize = PAGES[2];
/// Entries on a page: quick, usual and full size.
const ON_A_PAGE: [usize; 3] = [20, 100, 100];
/// Requests for each page in each round, by size.
const REQUESTS: [u32; 3] = [20, 100, 400];

/// One list.
struct List {
    name: &'static str,
    /// `{project}` stands for the path of the seeded project.
    path: &'static str,
    paging: Paging,
    /// The field of the response with the entries.
    entries: &'static str,
}

/// How a page of the list is addressed.
#[derive(Clone, Copy)]
enum Paging {
    /// By the page's number.
    Number,
    /// By the previous page's cursor, in the parameter of this name.
    Cursor(&'static str),
}

const LISTS: &[List] = &[
    List { name: "tokens", path: "/v1/tokens?", paging: Paging::Cursor("cursor"), entries: "tokens" },
    List {
        name: "access scopes, newest first",
        path: "{project}/scopes?orderBy=createdAt:DESC",
        paging: Paging::Number,
        entries: "data",
    },
    List {
        name: "access scopes by slug",
        path: "{project}/scopes?orderBy=slug:ASC",
        paging: Paging::Number,
        entries: "data",
    },
    List { name: "actors by name", path: "{project}/actors?orderBy=name:ASC", paging: Paging::Number, entries: "data" },
    List {
        name: "audit trail, oldest first",
        path: "/v1/audit?order=oldest",
        paging: Paging::Cursor("after"),
        entries: "events",
    },
    List {
        name: "audit trail, newest first",
        path: "/v1/audit?order=newest",
        paging: Paging::Cursor("after"),
        entries: "events",
    },
];

/// The cost of one page in one round.
struct Sample {
    latencies: Vec<Duration>,
    cpu: Duration,
}

/// `cargo xtask bench listing`: the table.
pub(super) fn run(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let (limit, requests) = (ON_A_PAGE[plan.size.index], REQUESTS[plan.size.index]);
    let count = limit * LAST_PAGE;
    let stage = Stage::prepare(plan.profile, plan.backend)?;
    let amounts = Amounts { tokens: count, access_scopes: count, actors: count, events: count };
    stage.product.fill(&amounts, &stage.folder.path().join("tokens"))?;
    let running = stage.product.start()?;
    let observed = stage.product.observed(&running);
    let client = Client::sign_in(&running)?;
    let project = project(&client)?;
    let (mut rows, mut worst) = (String::new(), Worst::default());
    for list in LISTS {
        say::step(format!("listing {}", list.name));
        let pages = places(&client, list, &project, limit).map_err(|fail| running.explain(&fail))?;
        let rounds = measure(plan, &client, &running, &observed, &pages, requests)?;
        rows.push_str(&table(list.name, &rounds));
        worst.see(&rounds);
    }
    let text = format!(
        "Lists of {count}, {limit} entries a page, {} rounds of {requests} requests for each page, one at a time.\n\n\
         | list | page | p50 ms | p99 ms | CPU ms/request | CPU, of the first page's (least–most) |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n{rows}",
        plan.size.rounds,
    );
    Ok(Outcome { text, figures: worst.figures(plan.backend) })
}

/// The worst figures of all lists.
#[derive(Debug, Default, PartialEq)]
struct Worst {
    /// The last page's median latency, relative to the first page's in the same round.
    depth: f64,
    /// The median latency of the first or the last page, whichever is slower, in milliseconds.
    ends: f64,
    /// The median latency of the middle page, in milliseconds.
    middle: f64,
}

impl Worst {
    fn see(&mut self, rounds: &[Vec<Sample>]) {
        let half = |sample: &Sample| milliseconds(sample.percentile(50));
        let depth = Spread::of(rounds.iter().map(|round| half(&round[PAGES.len() - 1]) / half(&round[0]))).median;
        let page = |at: usize| Spread::of(rounds.iter().map(|round| half(&round[at]))).median;
        self.depth = self.depth.max(depth);
        self.ends = self.ends.max(page(0)).max(page(PAGES.len() - 1));
        self.middle = self.middle.max(page(PAGES.len() / 2));
    }

    fn figures(&self, backend: Backend) -> Vec<Figure> {
        let figure = |goal, value| Figure { goal, on: Some(backend), value };
        vec![
            figure(Goal::ListingDepth, self.depth),
            figure(Goal::ListingEnds, self.ends),
            figure(Goal::ListingMiddle, self.middle),
        ]
    }
}

/// The path of the only project.
fn project(client: &Client) -> Result<String> {
    let projects = format!("/v1/organizations/{}/projects", client.organisation);
    let answer = client.get(&projects)?;
    match answer["data"][0]["projectId"].as_str() {
        Some(id) => Ok(format!("{projects}/{id}")),
        None => Err(Fail::new(format!("there is no project: {answer}"))),
    }
}

/// The paths of the pages. A list with cursors is walked once to find them.
fn places(client: &Client, list: &List, project: &str, limit: usize) -> Result<Vec<String>> {
    let base = format!("{}&limit={limit}", list.path.replace("{project}", project));
    let mut places = Vec::new();
    let (mut place, mut page) = (base.clone(), 1);
    for wanted in PAGES {
        match list.paging {
            Paging::Number => place = format!("{base}&page={wanted}"),
            Paging::Cursor(parameter) => {
                while page < wanted {
                    interrupt::check()?;
                    let answer = client.get(&place)?;
                    let next = answer["next_cursor"].as_str();
                    let next = next.ok_or_else(|| Fail::new(format!("{} end at page {page}", list.name)))?;
                    (place, page) = (format!("{base}&{parameter}={next}"), page + 1);
                }
            }
        }
        let found = client.get(&place)?[list.entries].as_array().map_or(0, Vec::len);
        if found != limit {
            return Err(Fail::new(format!("page {wanted} of {} has {found} entries, not {limit}", list.name)));
        }
        places.push(place.clone());
    }
    Ok(places)
}

/// Each round fetches each page several times. A first round is a warm-up.
fn measure(
    plan: &Plan,
    client: &Client,
    running: &Running,
    observed: &[Observed],
    pages: &[String],
    requests: u32,
) -> Result<Vec<Vec<Sample>>> {
    let mut rounds = Vec::new();
    for round in 0..=plan.size.rounds {
        interrupt::check()?;
        let mut samples = Vec::new();
        for page in pages {
            let before = cost::cpu_time(observed)?;
            let mut latencies = Vec::new();
            for _ in 0..requests {
                latencies.push(client.timed(page).map_err(|fail| running.explain(&fail))?.1);
            }
            latencies.sort_unstable();
            samples.push(Sample { latencies, cpu: cost::cpu_time(observed)?.saturating_sub(before) });
        }
        if round > 0 {
            rounds.push(samples);
        }
    }
    Ok(rounds)
}

fn table(name: &str, rounds: &[Vec<Sample>]) -> String {
    let line = |(at, page): (usize, &usize)| {
        let median = |read: &dyn Fn(&Sample) -> f64| Spread::of(rounds.iter().map(|round| read(&round[at]))).median;
        let percentile = |share: usize| median(&|sample| milliseconds(sample.percentile(share)));
        let ratio = Spread::of(rounds.iter().map(|round| round[at].cpu_ms() / round[0].cpu_ms()));
        format!(
            "| {name} | {page} | {:.2} | {:.2} | {:.2} | **{:.2}** ({:.2}–{:.2}) |\n",
            percentile(50),
            percentile(99),
            median(&Sample::cpu_ms),
            ratio.median,
            ratio.min,
            ratio.max,
        )
    };
    PAGES.iter().enumerate().map(line).collect()
}

impl Sample {
    /// A percentile of latency.
    fn percentile(&self, share: usize) -> Duration {
        let at = (self.latencies.len() * share).div_ceil(100).saturating_sub(1);
        self.latencies.get(at).copied().unwrap_or_default()
    }

    /// Processor time of a request. The kernel counts in hundredths of a second, so it is coarse for few requests.
    fn cpu_ms(&self) -> f64 {
        milliseconds(self.cpu) / precise(self.latencies.len() as u64)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ms: u64) -> Sample {
        Sample {
            latencies: (1..=100).map(|n| Duration::from_millis(n * ms)).collect(),
            cpu: Duration::from_millis(100 * ms),
        }
    }

    #[test]
    fn a_page_is_compared_with_the_first_of_its_own_round() {
        // The machine slowed down between the rounds; the ratio within each stays what it is.
        let rounds = [vec![sample(1), sample(2), sample(3)], vec![sample(2), sample(4), sample(6)]];
        let table = table("tokens", &rounds);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "| tokens | 1 | 75.00 | 148.50 | 1.50 | **1.00** (1.00–1.00) |");
        assert_eq!(lines[2], "| tokens | 1000 | 225.00 | 445.50 | 4.50 | **3.00** (3.00–3.00) |");
    }

    #[test]
    fn the_worst_list_counts() {
        let mut worst = Worst::default();
        worst.see(&[vec![sample(4), sample(1), sample(8)]]);
        worst.see(&[vec![sample(1), sample(2), sample(3)]]);
        assert_eq!(worst, Worst { depth: 3.0, ends: 400.0, middle: 100.0 });
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_latencies() {
        assert_eq!(sample(1).percentile(50), Duration::from_millis(50));
        assert_eq!(sample(1).percentile(99), Duration::from_millis(99));
        let one = Sample { latencies: vec![Duration::from_millis(7)], cpu: Duration::ZERO };
        assert_eq!([one.percentile(50), one.percentile(99)], [Duration::from_millis(7); 2]);
    }
}
