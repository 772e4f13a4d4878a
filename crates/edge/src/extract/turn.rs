//! Which error is sent: an error about the credential has precedence over errors about the body, the path or the query.
//!
//! The framework runs all extractors of a handler concurrently and answers with the first error. A credential is looked
//! up in the database, so a malformed body would be reported before an invalid credential, to a caller without any
//! right. Therefore the extractor of the caller holds a [`Turn`] during the look-up, and the errors of other extractors
//! wait for its end. Successful extractors do not wait.
//!
//! **Invariant:** the extractor that takes the turn is the first parameter of its handler, because the framework
//! creates extractors in the order of the parameters, and the others look for the turn when they are created.

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use crate::error::ApiResult;

/// Held while a caller is looked up. Dropping it lets the errors of other extractors through.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "dropping it is the signal")] watch::Sender<()>);

/// The turns that an extractor waits for before it returns an error; none on routes without a caller.
#[derive(Clone, Debug)]
pub struct After(Option<watch::Receiver<()>>);

impl Turn {
    /// Takes a turn for this request.
    pub fn take(request: &HttpRequest) -> Self {
        let (turn, others) = watch::channel(());
        request.extensions_mut().insert(After(Some(others)));
        Self(turn)
    }
}

impl After {
    /// The turns that extractors of this request have taken so far.
    pub fn caller(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or(Self(None))
    }

    /// Returns a success at once, and an error when all turns are over.
    ///
    /// # Errors
    /// The result's own.
    pub async fn settle<T>(self, result: ApiResult<T>) -> ApiResult<T> {
        if result.is_err()
            && let Some(mut turn) = self.0
        {
            // No value is ever sent: `changed` fails when the turn is dropped.
            while turn.changed().await.is_ok() {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use futures::poll;

    use super::*;
    use crate::codes::Code;

    #[tokio::test]
    async fn what_fits_goes_on_and_what_does_not_waits_for_the_caller() {
        let request = TestRequest::default().to_http_request();
        assert!(
            After::caller(&request).settle(Err::<(), _>(Code::NotFound.into())).await.is_err(),
            "nobody to wait for"
        );

        let turn = Turn::take(&request);
        assert!(After::caller(&request).settle(Ok(())).await.is_ok());
        let mut refused = std::pin::pin!(After::caller(&request).settle(Err::<(), _>(Code::NotFound.into())));
        assert!(poll!(refused.as_mut()).is_pending());
        drop(turn);
        assert!(refused.await.is_err());
    }
}
