//! Lists as files to download: CSV for spreadsheets, NDJSON for programs.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Ndjson,
}

impl Format {
    /// The format of the file called `stem` that the request's path names.
    pub(super) fn of(request: &HttpRequest, stem: &str) -> Option<Self> {
        let ending = request.match_info().get("file")?.strip_prefix(stem)?;
        [Self::Csv, Self::Ndjson].into_iter().find(|format| format.ending() == ending)
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
            Self::Ndjson => ".ndjson",
        }
    }

    /// An answer that browsers store as the file called `stem`.
    pub(super) fn answer(self, stem: &str) -> HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        answer
            .content_type(match self {
                Self::Csv => "text/csv; charset=utf-8",
                Self::Ndjson => "application/x-ndjson",
            })
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{stem}{}\"", self.ending())))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        answer
    }
}

/// A line of a CSV file, with its line end.
pub(super) fn csv<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// A CSV cell: quoted (RFC 4180), and escaped so that a spreadsheet does not run it as a formula.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_in_a_spreadsheet() {
        assert_eq!(csv(["=1+1", "a \"b\", c", ""]), "\"'=1+1\",\"a \"\"b\"\", c\",\"\"\r\n");
    }
}
