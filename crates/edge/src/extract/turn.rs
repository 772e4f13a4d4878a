//! Whose refusal is sent: that of the credential comes before that of the body, the path or the query.
//!
//! The framework reads all that a handler asks for side by side and answers with the first error that is ready. A
//! credential that has to be looked up across a network would so be judged after a body that does not fit, and somebody
//! without a right would be told about bodies. Who is asking therefore holds a [`Turn`] while they are looked up, and what
//! else does not fit waits for it; what fits waits for nothing.
//!
//! **Invariant:** the extractor that takes the turn is the first parameter of its handler: the others ask for it when they
//! are made, in the order of the parameters.

use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use crate::error::ApiResult;

/// Held while a caller is looked up. Others go on when it is dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "dropping it is the signal")] watch::Sender<()>);

/// What an extractor waits for before it refuses; nothing on routes that ask nobody who they are.
#[derive(Clone, Debug)]
pub struct After(Option<watch::Receiver<()>>);

impl Turn {
    /// Takes the turn of this request.
    pub fn take(request: &HttpRequest) -> Self {
        let (turn, others) = watch::channel(());
        request.extensions_mut().insert(After(Some(others)));
        Self(turn)
    }
}

impl After {
    /// The extractors that have taken the turn of this request so far.
    pub fn caller(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or(Self(None))
    }

    /// Hands the result on: at once what was read, after the caller is known what was not.
    ///
    /// # Errors
    /// The result's own.
    pub async fn settle<T>(self, result: ApiResult<T>) -> ApiResult<T> {
        if result.is_err()
            && let Some(mut turn) = self.0
        {
            // Nothing is ever sent: this returns when the turn is over.
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
