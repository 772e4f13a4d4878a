//! `openapi`: print the API document, as it is served and committed.

use super::{Failure, output};
use crate::compose;

pub(super) fn run() -> Result<(), Failure> {
    let document = edge::app::document(&compose::surfaces(), &compose::DESCRIPTION)?;
    Ok(output::emit(&edge::docs::text(&document)?)?)
}
