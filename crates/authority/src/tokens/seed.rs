//! Many tokens at once, for benchmarks and load tests.

use std::sync::Arc;

use storage::model::Touched;
use token_domain::id::OrganizationId;
use token_domain::record::{NewToken, Principal, Token, TokenOwner};
use token_domain::text::Name;
use token_domain::token::TokenFacts;
use token_format::PlainToken;

use super::{TokenError, Tokens, secret};
use crate::audit::{Event, Trail};
use crate::error::Failure;
use crate::origin::Origin;

impl Tokens {
    /// Issues `count` tokens with the scope `execute` in one unit of work, with one audit row for all of them.
    ///
    /// # Errors
    /// The store's; a catalogue without `execute`.
    pub async fn seed(
        &self,
        organization: OrganizationId,
        count: usize,
        origin: &Origin,
    ) -> Result<Vec<PlainToken>, TokenError> {
        let context = &self.context;
        let kind = TokenOwner::Organization;
        context.catalogue.grant(&["execute"], kind.kind())?;
        let name = Name::parse("seeded").map_err(|error| Failure::Inconsistent(error.to_string()))?;
        let now = context.now();
        let (mut secrets, mut tokens) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            let (secret, stored) = secret::make(context, Principal::System).await?;
            let (id, facts, by) = (context.id(now)?, TokenFacts::new(now, None), Principal::System);
            let token = Token {
                scopes: vec!["execute".to_owned()],
                ..Token::new(id, organization, kind, name.clone(), facts, by, secret.hint())
            };
            tokens.push(NewToken { token, secret: stored });
            secrets.push(secret);
        }
        let touching = context.units.touching();
        if let Some(first) = tokens.first() {
            touching.touch(Touched::Created(first.token.id));
        }
        let origin = origin.clone();
        let units = Arc::clone(context);
        units
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let event = Event::new(now, "token.seed", Principal::System, &origin).with("count", tokens.len());
                    trail.append(tx, event).await?;
                    for token in tokens {
                        tx.insert_token(&token).await?;
                    }
                    Ok::<_, TokenError>(())
                })
            })
            .await?;
        Ok(secrets)
    }
}
