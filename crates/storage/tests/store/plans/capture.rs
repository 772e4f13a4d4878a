//! The statements that operations of the store send, as they send them, and what either database would do with them.
//!
//! Diesel tells of every statement before it is sent. Only one test of a process listens, and nothing but what it does is
//! under way then: its statements are put together on its own thread, or in the store's lane for long reads.

use crate::sql::Sql;
use diesel::connection::{InstrumentationEvent, set_default_instrumentation};
use std::sync::{Mutex, PoisonError};

/// What diesel writes between a statement and what is bound to it.
const BINDS: &str = " -- binds: ";

static HEARD: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// A statement, and what was bound to it as diesel shows it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    bound: String,
}

/// Has every connection opened from now on tell of its statements.
pub(super) fn listen() {
    set_default_instrumentation(|| {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && let Some(heard) = HEARD.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                heard.push(query.to_string());
            }
        }))
    })
    .unwrap();
}

/// What is sent while `work` is done.
pub(super) async fn sent_by(work: impl Future<Output = ()>) -> Vec<Statement> {
    *HEARD.lock().unwrap() = Some(Vec::new());
    work.await;
    let heard = HEARD.lock().unwrap().take().unwrap_or_default();
    // What sets connections up, and what watches the file, asks for no rows.
    let asks = |shown: &&String| shown.contains(BINDS) && !["PRAGMA", "SET "].iter().any(|set| shown.starts_with(set));
    heard.iter().filter(asks).map(|shown| Statement::parse(shown)).collect()
}

impl Statement {
    fn parse(shown: &str) -> Self {
        let (text, bound) = shown.split_once(BINDS).expect("a statement and what is bound to it");
        Self { text: text.to_owned(), bound: bound.to_owned() }
    }

    /// How the database goes about it: SQLite whatever is bound, which its plans do not depend on; PostgreSQL the first
    /// time, which is for these values, and the sixth time, from when on it may prefer a plan for any. There it is run,
    /// so that what it read is told as well.
    pub(super) async fn plans(&self, sql: &mut Sql) -> Vec<String> {
        if let Sql::Sqlite(_) = sql {
            return vec![sql.plan(&self.text).await];
        }
        sql.run(&format!("PREPARE statement AS {}", self.text)).await.unwrap();
        let values: Vec<String> = split(inside(&self.bound)).into_iter().map(literal).collect();
        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        let explain = format!("(ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE statement{values}");
        let mut plans = Vec::new();
        for _ in 0..6 {
            plans.push(sql.plan(&explain).await);
        }
        plans.drain(1..5);
        sql.run("DEALLOCATE statement").await.unwrap();
        plans
    }
}

/// A list without its brackets.
fn inside(list: &str) -> &str {
    list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).expect("a list")
}

/// The elements of a list as diesel shows it.
fn split(list: &str) -> Vec<&str> {
    let (mut elements, mut begun, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
    for (at, letter) in list.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                elements.push(list[begun..at].trim());
                begun = at + 1;
            }
            _ => {}
        }
    }
    elements.push(list[begun..].trim());
    elements.retain(|element| !element.is_empty());
    elements
}

/// A value as diesel shows it, as PostgreSQL reads it.
fn literal(shown: &str) -> String {
    for wrapper in ["Some(", "UidParam(", "MomentParam("] {
        if let Some(inner) = shown.strip_prefix(wrapper).and_then(|inner| inner.strip_suffix(')')) {
            return if wrapper == "Some(" { literal(inner) } else { format!("'{inner}'") };
        }
    }
    if shown.starts_with('[') {
        let elements = split(inside(shown));
        let bytes: Option<Vec<u8>> = elements.iter().map(|element| element.parse().ok()).collect();
        return match bytes {
            Some(bytes) => bytes.iter().fold("'\\x".to_owned(), |text, byte| format!("{text}{byte:02x}")) + "'",
            None => {
                format!("'{{{}}}'", elements.into_iter().map(literal).collect::<Vec<_>>().join(",").replace('\'', ""))
            }
        };
    }
    shown.replace('\'', "''").replace('"', "'")
}

#[test]
fn what_is_bound_is_read_as_it_is_shown() {
    let shown = r#"[Some(UidParam(0190-7)), "a, (b", [1, 255], [UidParam(a), UidParam(b)], 101, MomentParam(2026-01-15T09:32:11Z)]"#;
    let literals: Vec<String> = split(inside(shown)).into_iter().map(literal).collect();
    let expected = ["'0190-7'", "'a, (b'", r"'\x01ff'", "'{a,b}'", "101", "'2026-01-15T09:32:11Z'"];
    assert_eq!(literals, expected);
    assert!(split(inside("[]")).is_empty());
}
