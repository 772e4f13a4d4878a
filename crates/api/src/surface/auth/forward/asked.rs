//! The gateway's question: read from the query, or from the path if the query is the client's.

use std::borrow::Cow;

use actix_web::HttpRequest;
use token_domain::{Requirement, ScopeCatalogue, ScopeSet};

use super::super::shown::shown;
use super::original::{self, Original};
use super::routes::RouteTables;
use edge::error::{ApiError, ApiResult};
use edge::extract::query::Pairs;

/// The path prefix for gateways that append the client's path.
const BELOW: &str = "/v1/auth/forward/";

/// The gateway's question about a request.
#[derive(Debug)]
pub(super) struct Asked<'t> {
    all: Requirement,
    /// One scope of each of these is needed.
    any: Vec<Alternatives<'t>>,
    /// Required names that the catalogue does not have: no token has them.
    unknown: Vec<String>,
    row: Row,
    preflight: bool,
}

/// Whether the route table has a row for the original request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// It has a row, or the question names no table.
    Found,
    /// It has no row.
    Absent,
}

/// Scopes of which one is enough.
#[derive(Debug)]
struct Alternatives<'t> {
    names: Vec<Cow<'t, str>>,
    /// The scopes that the catalogue has.
    each: Vec<Requirement>,
}

/// The parameters, before names are looked up.
#[derive(Debug, Default)]
struct Parameters {
    scopes: Vec<String>,
    any: Vec<String>,
    routes: Option<String>,
    allows_preflight: bool,
}

impl<'t> Asked<'t> {
    /// Reads the question of a gateway.
    ///
    /// # Errors
    /// 400 for a question that only a misconfigured gateway sends.
    pub(super) fn read(request: &HttpRequest, tables: &'t RouteTables, catalogue: &ScopeCatalogue) -> ApiResult<Self> {
        let mut table = None;
        let parameters = if let Some(below) = request.path().strip_prefix(BELOW) {
            let (parameters, path) = Parameters::of_path(below)?;
            if let Some(name) = &parameters.routes {
                table = Some((name.clone(), Original::prefixed(request, path)?));
            }
            parameters
        } else {
            let parameters = Parameters::of_query(Pairs::of(request)?)?;
            if let Some(name) = &parameters.routes {
                table = Some((name.clone(), Original::forwarded(request)?));
            }
            parameters
        };
        let preflight = parameters.allows_preflight && original::is_preflight(request.headers())?;
        let mut asked =
            Self { all: Requirement::NOTHING, any: Vec::new(), unknown: Vec::new(), row: Row::Found, preflight };
        let (mut all, unknown): (Vec<String>, Vec<String>) =
            parameters.scopes.into_iter().partition(|name| catalogue.find(name).is_some());
        asked.unknown = unknown;
        if !parameters.any.is_empty() {
            asked.any.push(Alternatives::new(parameters.any.into_iter().map(Into::into).collect(), catalogue));
        }
        if let Some((name, original)) = table {
            let table = tables.find(&name).ok_or_else(|| {
                ApiError::invalid("routes", "routes must be the name of a route table in gateways.route_tables")
            })?;
            match table.row(&original)? {
                None => asked.row = Row::Absent,
                Some(row) => {
                    all.extend(row.scopes().iter().cloned());
                    if !row.any().is_empty() {
                        let names = row.any().iter().map(|name| name.as_str().into()).collect();
                        asked.any.push(Alternatives::new(names, catalogue));
                    }
                }
            }
        }
        // Cannot fail: all names are in the catalogue.
        asked.all = catalogue.require_all(&all).unwrap_or(Requirement::NOTHING);
        Ok(asked)
    }

    /// The scopes that are needed in any case.
    pub(super) const fn requirement(&self) -> &Requirement {
        &self.all
    }

    /// Whether the route table has a row.
    pub(super) const fn row(&self) -> Row {
        self.row
    }

    /// Whether the client's request is a browser's preflight that may pass without a credential.
    pub(super) const fn is_preflight(&self) -> bool {
        self.preflight
    }

    /// Whether a token that has all of [`Asked::requirement`] also has one of each of the alternatives.
    pub(super) fn is_met_by(&self, effective: ScopeSet) -> bool {
        self.unknown.is_empty() && self.any.iter().all(|alternatives| alternatives.are_met_by(effective))
    }

    /// The alternatives that the token has, which let the request through together with [`Asked::requirement`].
    pub(super) fn met_by(&self, effective: ScopeSet) -> impl Iterator<Item = &Requirement> {
        let each = self.any.iter().flat_map(|alternatives| &alternatives.each);
        each.filter(move |one| one.check(&effective).is_ok())
    }

    /// 403 with the missing scopes: of those needed in any case, or else the alternatives of which none is there.
    pub(super) fn lacking(&self, catalogue: &ScopeCatalogue, missing: ScopeSet) -> ApiError {
        let mut names: Vec<&str> = catalogue.names(missing);
        names.extend(self.unknown.iter().map(|name| shown(name)));
        if names.is_empty() {
            names.extend(self.any.iter().flat_map(|alternatives| alternatives.names.iter().map(|name| shown(name))));
        }
        ApiError::insufficient_scope(&names)
    }
}

impl<'t> Alternatives<'t> {
    fn new(names: Vec<Cow<'t, str>>, catalogue: &ScopeCatalogue) -> Self {
        let each = names.iter().filter_map(|name| catalogue.find(name)).map(|scope| catalogue.require(scope)).collect();
        Self { names, each }
    }

    fn are_met_by(&self, effective: ScopeSet) -> bool {
        self.each.iter().any(|one| one.check(&effective).is_ok())
    }
}

impl Parameters {
    /// Only known parameters are accepted: a misspelt one would require nothing and let every token through.
    fn of_query(Pairs(pairs): Pairs) -> ApiResult<Self> {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "scope" if !value.is_empty() => parameters.scopes.push(value),
                "any" if !value.is_empty() => parameters.any.push(value),
                "scope" | "any" => {
                    let message = format!("{name} must be the name of a scope");
                    return Err(ApiError::invalid(name, message));
                }
                "routes" if parameters.routes.is_none() => parameters.routes = Some(value),
                "routes" => return Err(ApiError::invalid(name, "routes must be given once")),
                "preflight" if value == "allow" => parameters.allows_preflight = true,
                "preflight" => return Err(ApiError::invalid(name, "preflight must be `allow`")),
                _ => return Err(unknown(&name)),
            }
        }
        Ok(parameters)
    }

    /// Reads `scope/<scope>` or `routes/<table>`, and the client's path behind it.
    fn of_path(below: &str) -> ApiResult<(Self, &str)> {
        let (form, rest) = below.split_once('/').unwrap_or((below, ""));
        let (name, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let parameters = match form {
            "scope" if !name.is_empty() => Self { scopes: vec![name.to_owned()], ..Self::default() },
            "routes" => Self { routes: Some(name.to_owned()), ..Self::default() },
            _ => return Err(ApiError::invalid("path", "the path must continue with scope/<scope> or routes/<table>")),
        };
        Ok((parameters, path))
    }
}

/// 400 naming an unknown parameter. The name comes from the gateway's configuration, or from a client.
fn unknown(name: &str) -> ApiError {
    let shown: String = name.chars().filter(|letter| !letter.is_control()).take(100).collect();
    ApiError::invalid(shown, "is not a known parameter: use scope, any, routes or preflight")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_form_takes_one_name_and_leaves_the_rest_to_the_client() {
        let rows = [
            ("scope/read", Ok((vec!["read"], None, ""))),
            ("scope/scans:read/api/v1/scans", Ok((vec!["scans:read"], None, "/api/v1/scans"))),
            ("scope/read/routes/x", Ok((vec!["read"], None, "/routes/x"))),
            ("scope/read//", Ok((vec!["read"], None, "//"))),
            ("scope/read*", Ok((vec!["read*"], None, ""))),
            ("routes/scanner/api", Ok((vec![], Some("scanner"), "/api"))),
            ("routes/scanner", Ok((vec![], Some("scanner"), ""))),
            ("routes/", Ok((vec![], Some(""), ""))),
            ("scope/", Err(())),
            ("scope//api", Err(())),
            ("any/read/api", Err(())),
            ("", Err(())),
        ];
        for (below, expected) in rows {
            let read = Parameters::of_path(below);
            let shown = read.as_ref().map_err(|_| ()).map(|(parameters, path)| {
                let scopes: Vec<&str> = parameters.scopes.iter().map(String::as_str).collect();
                (scopes, parameters.routes.as_deref(), *path)
            });
            assert_eq!(shown, expected, "{below}");
        }
    }
}
