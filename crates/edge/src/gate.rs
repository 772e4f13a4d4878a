//! Before a deployment is set up, every request is answered 503 `not set up`. Otherwise a wrong database URL, which leads
//! to an empty database, would turn every good token into a 401.
//!
//! A server whose deployment is set up at start has no gate. A closed gate asks the database at each request, because
//! another process may have done the set-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;

use super::codes::Code;
use super::error::{ApiError, ApiResult};

/// Asks whether the deployment is set up; the error is for the log.
pub type IsSetUp = Arc<dyn Fn() -> BoxFuture<'static, Result<bool, String>> + Send + Sync>;

/// Paths that are answered before the set-up: probes and the API document.
const OPEN: [&str; 4] = ["/health", "/ready", "/metrics", "/openapi.json"];

/// Closed until the deployment is set up. Clones share one state.
#[derive(Clone)]
pub struct Gate {
    is_open: Arc<AtomicBool>,
    is_set_up: IsSetUp,
    /// The paths of the set-up itself.
    open: Arc<[String]>,
}

impl Gate {
    /// A gate for a deployment that is not set up yet, with the paths of the set-up itself.
    pub fn new(is_set_up: IsSetUp, open: impl IntoIterator<Item = String>) -> Self {
        Self { is_open: Arc::default(), is_set_up, open: open.into_iter().collect() }
    }

    /// Whether an earlier request found the deployment set up.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Whether the deployment is set up. Asks the database until the answer is yes once.
    ///
    /// # Errors
    /// 503 if the database cannot be asked.
    pub async fn is_set_up(&self) -> ApiResult<bool> {
        if self.is_open() {
            return Ok(true);
        }
        let is_set_up = (self.is_set_up)().await.map_err(ApiError::unavailable)?;
        if is_set_up {
            self.is_open.store(true, Ordering::Release);
        }
        Ok(is_set_up)
    }

    /// Lets a request through, or answers 503.
    pub(super) async fn admit(&self, path: &str) -> ApiResult<()> {
        if OPEN.contains(&path) || self.open.iter().any(|open| open == path) || self.is_set_up().await? {
            Ok(())
        } else {
            Err(Code::NotSetUp.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn only_probes_and_setting_up_pass_until_it_is_set_up() {
        let state = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&state);
        let is_set_up = move || {
            let is_set_up = seen.load(Ordering::Acquire);
            async move { Ok(is_set_up) }.boxed()
        };
        let gate = Gate::new(Arc::new(is_set_up), ["/setup", "/v1/setup"].map(str::to_owned));
        let status = |path: &str| block_on(gate.admit(path)).map_err(|error| error.code());
        for path in OPEN.into_iter().chain(["/setup", "/v1/setup"]) {
            assert_eq!(status(path), Ok(()), "{path}");
        }
        for path in ["/", "/docs", "/v1/auth/validate", "/v1/setup/", "/v1/sessions", "/setup/x"] {
            assert_eq!(status(path), Err(Code::NotSetUp), "{path}");
        }
        state.store(true, Ordering::Release);
        assert!(!gate.is_open());
        assert_eq!(status("/v1/auth/validate"), Ok(()));
        assert!(gate.is_open());
    }

    #[test]
    fn what_cannot_be_known_is_an_outage() {
        let gate = Gate::new(Arc::new(|| async { Err("no connection".to_owned()) }.boxed()), []);
        let refused = block_on(gate.admit("/v1/auth/validate")).unwrap_err();
        assert_eq!((refused.code(), refused.cause()), (Code::Unavailable, Some("no connection")));
    }
}
