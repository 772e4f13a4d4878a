//! Where people and programs reach this deployment from outside, as the operator says.

use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

/// `server.public_url` without a slash at its end, if it is set.
#[derive(Clone, Debug, Default)]
pub struct PublicUrl(Option<String>);

impl PublicUrl {
    /// From the configured address.
    pub fn new(url: Option<&url::Url>) -> Self {
        Self(url.map(|url| url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The address, for documents that are about nothing else. It is never taken from the request: `Host` is the
    /// client's.
    ///
    /// # Errors
    /// 404 without one.
    pub fn required(&self) -> ApiResult<&str> {
        self.get().ok_or_else(|| {
            let message = "This deployment does not say where it is reached: set server.public_url.";
            ApiError::from(Code::NotFound).message(message)
        })
    }
}
