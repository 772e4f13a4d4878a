//! `openapi`: print the API document, as it is served and committed.

use super::{Failure, output};
use crate::http::app;
use crate::{compose, openapi};

pub(super) fn run() -> Result<(), Failure> {
    let document = app::document(&compose::surfaces());
    Ok(output::emit(&openapi::text(&document)?)?)
}
