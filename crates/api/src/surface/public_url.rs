//! The configured URL under which people and programs reach this deployment.

use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

/// `server.public_url` without a trailing slash, if it is set.
#[derive(Clone, Debug, Default)]
pub struct PublicUrl(Option<String>);

impl PublicUrl {
    /// Takes the configured URL.
    pub fn new(url: Option<&url::Url>) -> Self {
        Self(url.map(|url| url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The URL.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The URL, for documents that need it. It is never derived from `Host`, which the client chooses.
    ///
    /// # Errors
    /// 404 if it is not configured.
    pub fn required(&self) -> ApiResult<&str> {
        self.get().ok_or_else(|| {
            let message = "The public address of this deployment is not configured. Set `server.public_url`.";
            ApiError::from(Code::NotFound).message(message)
        })
    }
}
