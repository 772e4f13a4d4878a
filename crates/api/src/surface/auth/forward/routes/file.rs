//! Parses the operator's route tables and reports all errors at once.

use std::fmt::Display;

use serde::Deserialize;
use token_domain::ScopeCatalogue;

use super::pattern::Pattern;
use super::{Route, RouteTables, Table};

/// The most rows of one table: each request is compared with all of them.
const MOST_ROWS: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    routes: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    host: Option<String>,
    method: Option<Methods>,
    path: String,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    any: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Methods {
    One(String),
    Several(Vec<String>),
}

impl RouteTables {
    /// Reads tables from files, given as name and text.
    ///
    /// # Errors
    /// All errors, on one line.
    pub(crate) fn read<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
        catalogue: &ScopeCatalogue,
    ) -> Result<Self, String> {
        let mut tables: Vec<Table> = Vec::new();
        let mut wrong = Vec::new();
        for (file, text) in files {
            match toml::from_str::<File>(text) {
                Err(error) => wrong.push(format!("{file}: {}", error.to_string().trim().replace('\n', " "))),
                Ok(written) => {
                    let mut complain = |problem: String| wrong.push(format!("{file}: {problem}"));
                    if tables.iter().any(|table| table.name == written.name) {
                        complain(format!("another table is also named {}; choose another name", written.name));
                    }
                    tables.push(table(written, catalogue, &mut complain));
                }
            }
        }
        if wrong.is_empty() { Ok(Self(tables)) } else { Err(wrong.join("; ")) }
    }
}

fn table(written: File, catalogue: &ScopeCatalogue, complain: &mut impl FnMut(String)) -> Table {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=64).contains(&written.name.len()) || !written.name.bytes().all(is_name) {
        complain("name must be 1 to 64 lowercase letters, digits and hyphens".to_owned());
    }
    if written.routes.len() > MOST_ROWS {
        complain(format!("a table may have at most {MOST_ROWS} rows"));
        return Table { name: written.name, rows: Vec::new() };
    }
    let rows = written.routes.into_iter().filter_map(|row| {
        let text = text(&row);
        route(row, &text, catalogue).map_err(|problems| problems.into_iter().for_each(&mut *complain)).ok()
    });
    let table = Table { rows: rows.collect(), name: written.name };
    for (one, other) in table.overlaps() {
        complain(format!("{one} and {other} overlap, and neither is more specific: make one of them narrower"));
    }
    table
}

fn text(row: &Written) -> String {
    let methods = match &row.method {
        None => String::new(),
        Some(Methods::One(method)) => format!("{method} "),
        Some(Methods::Several(methods)) => format!("{} ", methods.join(",")),
    };
    format!("{methods}{}{}", row.host.as_deref().unwrap_or_default(), row.path)
}

fn route(row: Written, text: &str, catalogue: &ScopeCatalogue) -> Result<Route, Vec<String>> {
    let mut wrong = Vec::new();
    let mut complain = |problem: &dyn Display| wrong.push(format!("{text}: {problem}"));
    let path = Pattern::path(&row.path).map_err(|problem| complain(&format!("path {problem}"))).ok();
    let host = row.host.as_deref().map(Pattern::host);
    let host = host.transpose().map_err(|problem| complain(&format!("host {problem}"))).ok().flatten();
    let methods = match row.method {
        None => Vec::new(),
        Some(Methods::One(method)) => vec![method],
        Some(Methods::Several(methods)) if methods.is_empty() => {
            complain(&"method must name a method; leave it out for all of them");
            methods
        }
        Some(Methods::Several(methods)) => methods,
    };
    if methods.iter().any(|method| method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase())) {
        complain(&"method must be in capitals, such as GET");
    }
    // HEAD is treated as GET (RFC 9110 §9.3.2), as on all routes.
    let methods = methods.into_iter().map(|method| if method == "HEAD" { "GET".to_owned() } else { method }).collect();
    if row.scopes.is_none() && row.any.is_empty() {
        complain(&"scopes or any is required; `scopes = []` lets every good token pass");
    }
    let scopes = row.scopes.unwrap_or_default();
    for name in scopes.iter().chain(&row.any).filter(|name| catalogue.find(name).is_none()) {
        complain(&format!("the scope {name} is not in the catalogue"));
    }
    match path {
        Some(path) if wrong.is_empty() => {
            Ok(Route { host, methods, path, scopes, any: row.any, text: text.to_owned() })
        }
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_named() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let read = |text: &str| RouteTables::read([("t.toml", text)], &catalogue).map(drop);
        let rows = [
            ("path = \"/a\"\nscopes = [\"read\"]", None),
            ("path = \"/a\"\nscopes = []", None),
            ("path = \"/a\"\nany = [\"read\", \"admin\"]\nmethod = [\"GET\", \"HEAD\"]", None),
            ("path = \"/a\"", Some("/a: scopes or any is required")),
            ("path = \"/a\"\nscopes = [\"fly\"]", Some("/a: the scope fly is not in the catalogue")),
            ("path = \"/a\"\nany = [\"read\", \"fly\"]", Some("/a: the scope fly is not in the catalogue")),
            ("path = \"a\"\nscopes = []", Some("a: path must begin with /")),
            ("path = \"/a\"\nscopes = []\nmethod = \"get\"", Some("get /a: method must be in capitals")),
            ("path = \"/a\"\nscopes = []\nmethod = []", Some("/a: method must name a method")),
            ("path = \"/a\"\nscopes = []\nhost = \"A\"", Some("A/a: host must be a host name in lower case")),
            ("path = \"/a\"\nscope = [\"read\"]", Some("unknown field `scope`")),
            (
                "path = \"/a\"\nscopes = []\n[[routes]]\npath = \"/a\"\nscopes = [\"read\"]",
                Some("/a and /a overlap, and neither is more specific"),
            ),
            (
                "path = \"/a/*\"\nscopes = []\n[[routes]]\nmethod = \"GET\"\npath = \"/*/b\"\nscopes = [\"read\"]",
                Some("/a/* and GET /*/b overlap, and neither is more specific"),
            ),
            (
                "path = \"/a/*\"\nmethod = \"GET\"\nscopes = []\n[[routes]]\npath = \"/a/b\"\nscopes = [\"read\"]",
                Some("GET /a/* and /a/b overlap, and neither is more specific"),
            ),
            (
                "path = \"/a/*\"\nmethod = \"GET\"\nscopes = []\n[[routes]]\npath = \"/a/b\"\nscopes = []\nmethod = \"PUT\"",
                None,
            ),
        ];
        for (row, expected) in rows {
            let said = read(&format!("name = \"t\"\n[[routes]]\n{row}\n"));
            match (said, expected) {
                (Ok(()), None) => {}
                (Err(said), Some(expected)) => assert!(said.contains(expected), "{row}: {said}"),
                (said, expected) => panic!("{row}: {said:?} instead of {expected:?}"),
            }
        }
        assert!(read("name = \"Not A Name\"\nroutes = []\n").is_err());
        let twice = "name = \"t\"\nroutes = []\n";
        assert!(RouteTables::read([("a.toml", twice), ("b.toml", twice)], &catalogue).is_err());
        let both = read("name = \"t\"\n[[routes]]\npath = \"a\"\nscopes = [\"fly\"]\n").unwrap_err();
        assert!(both.contains("begin with /") && both.contains("the scope fly"), "{both}");
    }
}
