//! The set-up of an empty deployment: its first organisation and that organisation's owner.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use storage::StoreError;
use subtle::ConstantTimeEq;
use token_domain::id::{OrganizationId, UserId};
use token_domain::leak::LeakAction;
use token_domain::person::{BuiltInRole, RoleRef, SecondFactorRule};
use token_domain::record::{Membership, Organization, Principal, User, Verified};
use token_domain::text::{Email, Name, Slug};

use crate::attempts;
use crate::audit::{Event, Refusal, Trail};
use crate::context::Context;
use crate::env::{EntropyError, random};
use crate::error::Failure;
use crate::origin::Origin;
use crate::passwords::{NewPassword, WeakPassword};
use crate::people::hash_password;
use crate::slow::Work;

/// Why a deployment was not set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It has an organisation already.
    #[error("this deployment is already set up")]
    AlreadyDone,
    /// The one-time code is wrong, used, or of another process.
    #[error("the set-up code is wrong or was used")]
    WrongCode,
    /// The password is not one to choose.
    #[error("the password {0}")]
    Weak(#[from] WeakPassword),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for SetupError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for SetupError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// The first organisation and its owner.
#[derive(Debug)]
pub struct SetupRequest {
    /// The organisation's slug.
    pub slug: Slug,
    /// The organisation's name; its slug when left out.
    pub organization_name: Option<Name>,
    /// The owner's address.
    pub email: Email,
    /// The owner's name; the address when left out.
    pub person_name: Option<Name>,
    /// The owner's password.
    pub password: NewPassword,
}

/// What was set up.
#[derive(Clone, Copy, Debug)]
pub struct SetUp {
    /// The organisation.
    pub organization_id: OrganizationId,
    /// Its owner.
    pub user_id: UserId,
}

/// A code for setting up once, which only readers of the server's output know.
pub struct SetupCode {
    digest: [u8; 32],
}

/// The code of this process, if the deployment was not set up when it started.
#[derive(Default)]
pub struct PendingSetup(pub Option<SetupCode>);

/// Setting up.
pub struct Setup {
    context: Arc<Context>,
}

impl SetupCode {
    /// Makes a code: 32 hexadecimal digits to print, and what to compare with.
    ///
    /// # Errors
    /// When the generator fails.
    pub fn generate(context: &Context) -> Result<(String, Self), Failure> {
        let bytes: [u8; 16] = random(context.entropy.as_ref())?;
        let text = format!("{:032x}", u128::from_be_bytes(bytes));
        let digest = Sha256::digest(text.as_bytes()).into();
        Ok((text, Self { digest }))
    }

    fn matches(&self, given: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        self.digest.ct_eq(&given).into()
    }
}

impl Setup {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Whether the deployment still waits to be set up.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn is_due(&self) -> Result<bool, Failure> {
        let count = self.context.store.read(|reads| Box::pin(reads.count_organizations())).await?;
        Ok(count == 0)
    }

    /// Sets up with the code that the server printed.
    ///
    /// # Errors
    /// A wrong code; a deployment that is set up already.
    pub async fn run_with_code(
        &self,
        code: Option<&SetupCode>,
        given: &str,
        request: SetupRequest,
        origin: &Origin,
    ) -> Result<SetUp, SetupError> {
        let Some(code) = code else { return Err(SetupError::AlreadyDone) };
        if !code.matches(given) {
            let by = (None, Principal::Anonymous);
            attempts::refused(&self.context, Refusal::SetupCode, by, origin, |event| event).await?;
            return Err(SetupError::WrongCode);
        }
        self.run(request, origin).await
    }

    /// Makes the first organisation and its owner. Of two at once, one wins.
    ///
    /// # Errors
    /// A deployment that is set up already.
    pub async fn run(&self, request: SetupRequest, origin: &Origin) -> Result<SetUp, SetupError> {
        if !self.is_due().await? {
            return Err(SetupError::AlreadyDone);
        }
        let context = &self.context;
        let names = [&request.organization_name, &request.person_name].into_iter().flatten().map(Name::as_str);
        let about: Vec<&str> = names.chain([request.slug.as_str(), request.email.as_str()]).collect();
        request.password.suits(context.policy.password_min_chars, &about)?;
        let hash = hash_password(context, request.password.into_password(), Work::Stranger).await?;
        let now = context.now();
        let fallback = |text: &str| {
            let cut: String = text.chars().take(Name::LONGEST).collect();
            Name::parse(&cut).map_err(|error| Failure::Inconsistent(format!("a name from {text:?}: {error}")))
        };
        let organization = Organization {
            id: context.id(now)?,
            name: request.organization_name.map_or_else(|| fallback(request.slug.as_str()), Ok)?,
            slug: request.slug,
            disabled_at: None,
            token_cap: None,
            second_factor: SecondFactorRule::Optional,
            leak_action: LeakAction::default(),
            trust_only: false,
            created_at: now,
            updated_at: now,
        };
        let user = User {
            id: context.id(now)?,
            name: request.person_name.map_or_else(|| fallback(request.email.as_str()), Ok)?,
            email: request.email,
            // The person who sets the deployment up operates it, so the operator vouches for this address.
            verified: Some(Verified { at: now, by: None }),
            pending_email: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let set_up = SetUp { organization_id: organization.id, user_id: user.id };
        let origin = origin.clone();
        context
            .units
            .run(now, context.units.touching(), move |tx| {
                Box::pin(async move {
                    // Lock the deployment's trail first, so that of two set-ups the second sees the first's organisation.
                    let mut trail = Trail::open(tx, None).await?;
                    if tx.count_organizations().await? > 0 {
                        return Err(SetupError::AlreadyDone);
                    }
                    let membership = Membership {
                        organization_id: organization.id,
                        user_id: user.id,
                        role: RoleRef::BuiltIn(BuiltInRole::Owner),
                        disabled_at: None,
                        created_at: now,
                    };
                    tx.insert_organization(&organization).await?;
                    tx.insert_user(&user, Some(hash.as_str())).await?;
                    tx.insert_membership(&membership).await?;
                    let event = Event::new(now, "deployment.setup", Principal::System, &origin)
                        .on("organization", set_up.organization_id)
                        .with("user_id", set_up.user_id.to_string());
                    trail.append(tx, event).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(set_up)
    }
}
