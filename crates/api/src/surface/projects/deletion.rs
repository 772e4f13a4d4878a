//! The parameters of a deletion: the treatment of assigned actors, and dry runs.

use authority::projects::IfAssigned;
use serde::Deserialize;
use utoipa::IntoParams;

use edge::error::{ApiError, ApiResult};

/// How to delete.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct Deletion {
    /// What to do if it has actors. `unassign` (the default) removes them from it; `reject` answers 409.
    if_assigned: Option<String>,
    /// `true` deletes nothing and returns what the deletion would affect.
    #[param(value_type = Option<bool>)]
    dry_run: Option<String>,
}

/// Whether a deletion is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::surface) enum Mode {
    /// It is carried out.
    Real,
    /// The answer only says what would happen.
    DryRun,
}

impl Deletion {
    pub(in crate::surface) fn read(&self) -> ApiResult<(IfAssigned, Mode)> {
        let if_assigned = match self.if_assigned.as_deref() {
            None | Some("unassign") => IfAssigned::Unassign,
            Some("reject") => IfAssigned::Reject,
            Some(_) => return Err(ApiError::invalid("ifAssigned", "must be reject or unassign")),
        };
        let mode = match self.dry_run.as_deref() {
            None | Some("false") => Mode::Real,
            Some("true") => Mode::DryRun,
            // A misspelt value must not turn a dry run into a deletion.
            Some(_) => return Err(ApiError::invalid("dryRun", "must be true or false")),
        };
        Ok((if_assigned, mode))
    }
}
