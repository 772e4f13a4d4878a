//! The table of goals in the page of results: new figures replace the old ones, everything else stays.
//!
//! Earlier figures are stored in the page only, so the table is parsed from it. A line that cannot be parsed counts as
//! not measured.

use super::goals::{Direction, Figure, GOALS, Line, Target};
use std::fmt::Write as _;

const BEGIN: &str = "<!-- goals -->";
const END: &str = "<!-- /goals -->";
/// The text for a goal without a figure.
const NOTHING: &str = "not measured yet";

/// The last three columns of a line.
#[derive(Clone, Debug, PartialEq)]
struct Measured {
    value: f64,
    command: String,
    commit: String,
}

/// The page with the table of goals at its mark, or else after the first paragraphs. `figures` are new, measured by
/// `command` at `commit`.
pub(super) fn replaced(page: &str, figures: &[Figure], command: &str, commit: &str) -> String {
    let marked = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (table, after) = rest.split_once(END)?;
        Some((before, table, after))
    });
    let old = marked.map_or("", |(_, table, _)| table);
    let table = format!("{BEGIN}\n{}{END}", draw(old, figures, command, commit));
    match marked {
        Some((before, _, after)) => format!("{before}{table}{after}"),
        None => match page.split_once("\n<!-- measured:") {
            Some((before, after)) => format!("{}\n\n{table}\n\n<!-- measured:{after}", before.trim_end()),
            None => format!("{}\n\n{table}\n", page.trim_end()),
        },
    }
}

fn draw(old: &str, figures: &[Figure], command: &str, commit: &str) -> String {
    let mut rows = String::new();
    let (mut reached, mut missed, mut reported, mut open) = (0_u32, 0_u32, 0_u32, 0_u32);
    for (line, target) in GOALS.iter().flat_map(|line| line.targets().map(move |target| (line, target))) {
        let name = name(line, target);
        let new = figures.iter().rfind(|figure| figure.goal == line.goal && figure.on == target.on);
        let measured = match new {
            Some(figure) => read_value(&number(line, figure.value)).map(|value| Measured {
                value,
                command: command.to_owned(),
                commit: commit.to_owned(),
            }),
            None => find(old, &name),
        };
        let verdict = match &measured {
            None => {
                open += 1;
                format!("{NOTHING} | – | – | –")
            }
            Some(Measured { value, command, commit }) => {
                let (count, word) = match (line.judged, line.is_reached(*value, target.limit)) {
                    (false, _) => (&mut reported, "reported"),
                    (true, true) => (&mut reached, "yes"),
                    (true, false) => (&mut missed, "**no**"),
                };
                *count += 1;
                format!("{} | {word} | `{command}` | {commit}", number(line, *value))
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "| {name} | {} | {verdict} |", goal(line, target));
    }
    format!(
        "## Goals\n\n{reached} reached, {missed} missed, {reported} reported, {open} not measured yet.\n\n\
         | what | goal | measured | reached | command | commit |\n| --- | ---: | ---: | --- | --- | --- |\n{rows}"
    )
}

/// The name of a row, by which it is found.
fn name(line: &Line, target: Target) -> String {
    match target.on {
        Some(backend) => format!("{}; {}", line.what, backend.name()),
        None => line.what.clone(),
    }
}

fn goal(line: &Line, target: Target) -> String {
    let sign = match line.direction {
        Direction::AtMost => "≤",
        Direction::AtLeast => "≥",
    };
    format!("{sign} {} {}", target.limit, line.unit)
}

fn number(line: &Line, value: f64) -> String {
    format!("{value:.*} {}", line.decimals, line.unit)
}

/// Parses a number that [`number`] wrote. NaN counts as not measured.
fn read_value(cell: &str) -> Option<f64> {
    cell.split_whitespace().next()?.parse().ok().filter(|value: &f64| value.is_finite())
}

fn find(table: &str, name: &str) -> Option<Measured> {
    table.lines().find_map(|line| {
        let cells: Vec<_> = line.trim().strip_prefix('|')?.strip_suffix('|')?.split(" | ").map(str::trim).collect();
        let [what, _, measured, _, command, commit] = cells.as_slice() else { return None };
        let of = || Some((read_value(measured)?, command.strip_prefix('`')?.strip_suffix('`')?));
        let (value, command) = if *what == name { of() } else { None }?;
        Some(Measured { value, command: command.to_owned(), commit: (*commit).to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::super::backend::Backend;
    use super::super::goals::Goal;
    use super::*;

    fn figure(goal: Goal, on: Option<Backend>, value: f64) -> Figure {
        Figure { goal, on, value }
    }

    fn row<'a>(page: &'a str, part: &str) -> &'a str {
        page.lines().find(|line| line.contains(part)).unwrap()
    }

    #[test]
    fn goals_without_a_figure_are_marked() {
        let page = replaced("# Performance\n", &[], "", "");
        let rows = GOALS.iter().map(|line| line.targets().count()).sum::<usize>();
        assert!(page.contains(&format!("0 reached, 0 missed, 0 reported, {rows} not measured yet.")), "{page}");
        assert_eq!(page.matches("| not measured yet | – | – | – |").count(), rows);
    }

    #[test]
    fn figures_replace_their_own_line_and_no_other() {
        let cpu = |on, value| figure(Goal::ValidateCpu, Some(on), value);
        let first = [cpu(Backend::Sqlite, 1.3), cpu(Backend::Postgres, 1.09), figure(Goal::Workers, None, 1.9)];
        let page = replaced("# Performance\n", &first, "first", "aaa");
        let page = replaced(&page, &[cpu(Backend::Sqlite, 1.1)], "second", "bbb");
        assert!(page.contains("2 reached, 0 missed, 1 reported"), "{page}");
        let [sqlite, postgres] = ["sqlite", "postgres"].map(|name| row(&page, &format!("CPU, of bare's; {name}")));
        assert!(sqlite.ends_with("| ≤ 1.12 × | 1.100 × | yes | `second` | bbb |"), "{sqlite}");
        assert!(postgres.ends_with("| ≤ 1.12 × | 1.090 × | yes | `first` | aaa |"), "{postgres}");
        assert!(row(&page, "2 workers").ends_with("| ≥ 1.8 × | 1.90 × | reported | `first` | aaa |"));
        assert_eq!(replaced(&page, &[], "third", "ccc"), page, "nothing new, nothing changed");
    }

    #[test]
    fn the_verdict_uses_the_rounded_number() {
        let missed = replaced("", &[figure(Goal::ForwardCpu, Some(Backend::Sqlite), 1.2506)], "c", "d");
        assert!(row(&missed, "forward-auth").contains("| 1.251 × | **no** |"), "{missed}");
        let reached = replaced("", &[figure(Goal::ForwardCpu, Some(Backend::Sqlite), 1.2504)], "c", "d");
        assert!(row(&reached, "forward-auth").contains("| 1.250 × | yes |"));
        let none = replaced("", &[figure(Goal::ForwardCpu, Some(Backend::Sqlite), f64::NAN)], "c", "d");
        assert!(row(&none, "forward-auth").contains(NOTHING));
    }

    #[test]
    fn prose_around_the_table_stays() {
        let page =
            "# Performance\n\nWhat each choice bought.\n\n<!-- measured: a -->\n## a\n<!-- /measured -->\n\nMore.\n";
        let once = replaced(page, &[], "", "");
        assert!(once.starts_with("# Performance\n\nWhat each choice bought.\n\n<!-- goals -->\n## Goals\n"), "{once}");
        assert!(
            once.ends_with("<!-- /goals -->\n\n<!-- measured: a -->\n## a\n<!-- /measured -->\n\nMore.\n"),
            "{once}"
        );
        assert_eq!(replaced(&once, &[], "", ""), once);
    }
}
