//! Route tables: the scopes that a whole API requires, by host, method and path of the client's request.
//!
//! If several rows match, the most specific one counts, whatever their order: the row whose requests are a subset of
//! the others'. Rows that overlap without one containing the other are refused when the table is loaded. So the order
//! never matters; with the usual rule, first match wins, moving a row up could silently open a path. A request that no
//! row matches is refused.

mod file;
mod pattern;

use std::fmt;

use self::pattern::Pattern;
use super::original::Original;
use edge::error::{ApiError, ApiResult};

/// The route tables of this deployment, by name.
#[derive(Debug, Default)]
pub struct RouteTables(Vec<Table>);

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    rows: Vec<Route>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Route {
    /// `None` matches any host.
    host: Option<Pattern>,
    /// Empty matches any method.
    methods: Vec<String>,
    path: Pattern,
    scopes: Vec<String>,
    any: Vec<String>,
    /// The row as written, for error messages.
    text: String,
}

impl RouteTables {
    /// The table of that name.
    pub(super) fn find(&self, name: &str) -> Option<&Table> {
        self.0.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// The row of a client's request.
    ///
    /// # Errors
    /// 400 when the table names hosts and the gateway does not say which one was asked.
    pub(super) fn row(&self, original: &Original<'_>) -> ApiResult<Option<&Route>> {
        if original.host.is_none() && self.rows.iter().any(|row| row.host.is_some()) {
            let message = "X-Forwarded-Host is required, because the route table has hosts";
            return Err(ApiError::invalid("X-Forwarded-Host", message));
        }
        let Some(segments) = pattern::segments(original.path) else { return Ok(None) };
        let labels = pattern::labels(original.host.unwrap_or_default());
        let matching = self.rows.iter().filter(|row| {
            row.host.as_ref().is_none_or(|host| host.matches(&labels))
                && (row.methods.is_empty() || row.methods.iter().any(|method| method == original.method))
                && row.path.matches(&segments)
        });
        // Of two rows that match the same request, one contains the other: loading refuses other overlaps.
        Ok(matching.reduce(|best, row| if best.contains(row) { row } else { best }))
    }

    /// Pairs of rows that overlap without one containing the other.
    fn overlaps(&self) -> impl Iterator<Item = (&Route, &Route)> {
        self.rows.iter().enumerate().flat_map(|(at, one)| {
            self.rows[at + 1..].iter().filter(move |other| one.is_ambiguous_with(other)).map(move |other| (one, other))
        })
    }
}

impl Route {
    /// Scopes that are all required.
    pub(super) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Scopes of which one is required, unless the list is empty.
    pub(super) fn any(&self) -> &[String] {
        &self.any
    }

    fn contains(&self, other: &Self) -> bool {
        let hosts = match (&self.host, &other.host) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(one), Some(other)) => one.contains(other),
        };
        let has_methods = self.methods.is_empty()
            || !other.methods.is_empty() && other.methods.iter().all(|method| self.methods.contains(method));
        hosts && has_methods && self.path.contains(&other.path)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let hosts = match (&self.host, &other.host) {
            (None, _) | (_, None) => true,
            (Some(one), Some(other)) => one.overlaps(other),
        };
        let share_methods = self.methods.is_empty()
            || other.methods.is_empty()
            || self.methods.iter().any(|method| other.methods.contains(method));
        hosts && share_methods && self.path.overlaps(&other.path)
    }

    fn is_ambiguous_with(&self, other: &Self) -> bool {
        self.overlaps(other) && self.contains(other) == other.contains(self)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use token_domain::ScopeCatalogue;

    use super::*;

    /// The table of the scanner API that the pages about gateways show.
    const SCANNER: &str = include_str!("../../../../../../../docs/gateways/scanner.toml");

    fn scopes<'t>(table: &'t Table, method: &str, host: Option<&str>, path: &str) -> Option<&'t [String]> {
        let row = table.row(&Original { method, path, host }).unwrap_or_else(|error| panic!("{error}"));
        row.map(Route::scopes)
    }

    #[test]
    fn the_example_asks_for_the_scopes_of_the_scanner() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let tables = RouteTables::read([("scanner.toml", SCANNER)], &catalogue).unwrap();
        let table = tables.find("scanner").unwrap();
        let rows = [
            ("POST", "/api/v1/scans", Some("scans:run")),
            ("GET", "/api/v1/scans", Some("scans:read")),
            ("GET", "/api/v1/scans/7", Some("scans:read")),
            ("PATCH", "/api/v1/scans/7", Some("scans:manage")),
            ("DELETE", "/api/v1/scans/7", Some("scans:delete")),
            ("GET", "/api/v1/scans/7/stop", Some("scans:stop")),
            ("POST", "/api/v1/scans/7/stop", Some("scans:stop")),
            ("GET", "/api/v1/scans/7/issues", Some("issues:read")),
            ("GET", "/api/v1/scans/7/issues/3", Some("issues:read")),
            ("GET", "/api/v1/files", Some("files:read")),
            ("POST", "/api/v1/files", Some("files:write")),
            ("DELETE", "/api/v1/files/3", Some("files:write")),
            ("GET", "/api/v2/projects/3/issues", Some("projects:read")),
            ("POST", "/api/v2/projects", Some("projects:manage")),
            ("DELETE", "/api/v2/projects/3", Some("projects:delete")),
            ("GET", "/api/v1/repeaters/3", Some("repeaters:read")),
            ("PUT", "/api/v1/repeaters/3", Some("repeaters:write")),
            ("GET", "/api/v1/scans/../files", None),
            ("GET", "/api/v1/unknown", None),
            ("TRACE", "/api/v1/scans", None),
        ];
        for (method, path, expected) in rows {
            let found = scopes(table, method, None, path);
            assert_eq!(found, expected.map(|scope| vec![scope.to_owned()]).as_deref(), "{method} {path}");
        }
    }

    #[test]
    fn the_most_specific_row_counts_wherever_it_stands() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let rows = [
            ("path = \"/**\"", "read"),
            ("path = \"/admin/**\"", "admin"),
            ("method = \"GET\"\npath = \"/admin/health\"", "user"),
            ("host = \"ops.example.com\"\npath = \"/admin/health\"\nmethod = \"GET\"", "bot"),
        ];
        let row = |(keys, scope): &(&str, &str)| format!("[[routes]]\n{keys}\nscopes = [\"{scope}\"]\n");
        for turn in 0..rows.len() {
            let mut rows = rows;
            rows.rotate_left(turn);
            let text = format!("name = \"t\"\n{}", rows.iter().map(row).collect::<String>());
            let tables = RouteTables::read([("t.toml", text.as_str())], &catalogue).unwrap();
            let table = tables.find("t").unwrap();
            let host = Some("www.example.com");
            for (method, host, path, scope) in [
                ("GET", host, "/", "read"),
                ("GET", host, "/admin", "admin"),
                ("POST", host, "/admin/health", "admin"),
                ("GET", host, "/admin/health", "user"),
                ("GET", Some("OPS.example.com:8443"), "/admin/health", "bot"),
            ] {
                let found = scopes(table, method, host, path);
                assert_eq!(found, Some(&[scope.to_owned()][..]), "{turn}: {method} {host:?} {path}");
            }
            let untold = Original { method: "GET", path: "/", host: None };
            assert!(table.row(&untold).is_err(), "a table that names hosts has to be told of them");
        }
    }
}
