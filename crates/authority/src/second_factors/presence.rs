//! Confirming again, within a session, that its person is present.

use token_domain::record::Session;
use zeroize::Zeroizing;

use super::{Person, Proof, SecondFactorError, SecondFactors, person};
use crate::attempts::is_still_proven;
use crate::change::Ask;
use crate::origin::{Caller, Origin};
use crate::people::confirm_password;
use crate::rights::Refused;

/// The proof that a signed-in person gives of their presence.
#[derive(Debug)]
pub enum Evidence {
    /// Their password.
    Password(Zeroizing<String>),
    /// Their second factor.
    Factor(Proof),
}

impl SecondFactors {
    /// Records that the person of a session confirmed their presence by password or second factor. For a while the session may
    /// then change the credentials that signing in depends on; without that, a stolen or abandoned session may not.
    ///
    /// A session by an identity provider is proven by another sign-in there as well. Where the organisation requires the provider,
    /// a second factor adds to such a session, and nothing else proves one.
    ///
    /// # Errors
    /// A wrong password, a wrong code, no second factor; too many attempts; a caller without a session.
    pub async fn prove_presence(
        &self,
        caller: &Caller,
        evidence: Evidence,
        origin: &Origin,
    ) -> Result<Session, SecondFactorError> {
        let Person { organization, user, session } = person(caller)?;
        let found = self.context.store.read(move |reads| Box::pin(reads.account(user))).await?;
        let found = found.ok_or(SecondFactorError::NotSignedIn)?;
        let spend = match evidence {
            Evidence::Password(password) => {
                confirm_password(&self.context, organization, &found, password, origin).await?;
                None
            }
            Evidence::Factor(proof) => {
                self.is_set(user).await?;
                Some(self.proven(organization, user, &proof, origin).await?)
            }
        };
        let changed = self
            .context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    let is_by_password = spend.is_none() || !change.is_by_provider();
                    if is_by_password && change.asks_for_sso() {
                        return Err(SecondFactorError::SsoRequired);
                    }
                    let proven = found.password_hash.as_deref();
                    let by = match &spend {
                        None if change.member().is_none() || !is_still_proven(change, user, proven).await? => {
                            return Err(SecondFactorError::WrongPassword);
                        }
                        None => "password",
                        Some(spend) if !spend.spend(change.tx, user).await? => {
                            return Err(SecondFactorError::WrongCode);
                        }
                        Some(spend) => spend.name(),
                    };
                    change.tx.set_session_proven(session, change.now).await?;
                    let event = change.event("session.prove").on("session", session).with("by", by);
                    change.record(event).await?;
                    let proven = change.session().cloned().ok_or(Refused::Gone)?;
                    Ok(Session { proven_at: Some(change.now), ..proven })
                })
            })
            .await;
        match changed {
            Err(SecondFactorError::WrongCode) => Err(self.wrong_code(organization, user, origin).await),
            other => other,
        }
    }
}
