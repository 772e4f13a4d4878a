//! What messages say, as it is kept until they are sent, and as it is read.
//!
//! Plain text. What people chose (names, what their client calls itself) stands in quotation marks, in one line, and never first
//! in a line of its own: a name cannot pass for a sentence of this service.

use serde::{Deserialize, Serialize};
use storage::Tx;
use storage::model::QueuedMail;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::record::Token;
use token_domain::text::Email;

use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;

/// A message before it is written. Serialised into the outbox; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// To the invited address.
    Invitation {
        /// The invitation's id.
        invitation: String,
        /// What the organisation is called.
        organization: String,
        /// When it ends.
        until: String,
    },
    /// To an address that a person requested.
    AddressCode {
        /// The person's id.
        user: String,
    },
    /// To an address whose person may have forgotten their password.
    PasswordReset {
        /// When it was requested.
        at: String,
        /// From where, if from somewhere.
        address: Option<String>,
    },
    /// To a person about their account.
    Notice {
        /// What happened.
        notice: Notice,
        /// When.
        at: String,
        /// From where, if from somewhere.
        address: Option<String>,
        /// By which client, as it calls itself.
        agent: Option<String>,
    },
    /// To a person about tokens of an organisation.
    Tokens {
        /// What happened.
        notice: TokenNotice,
        /// What the organisation is called.
        organization: String,
        /// The tokens, as many as are named.
        tokens: Vec<Told>,
        /// How many more there are.
        more: usize,
        /// When it happened.
        at: String,
    },
}

/// What a person is told about tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub(crate) enum TokenNotice {
    /// It was reported as leaked.
    Leaked {
        /// What becomes of it. Letters of earlier versions do not say: they revoked.
        #[serde(default)]
        end: LeakedEnd,
    },
    /// It was presented after it was rotated and its grace had ended.
    Reused,
    /// They end within so many days.
    Expiring {
        /// How many.
        days: i32,
    },
    /// It was used from an address that was not known.
    NewAddress {
        /// From where.
        address: String,
        /// What the client called itself.
        agent: Option<String>,
    },
}

/// What becomes of a leaked token, as a message says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeakedEnd {
    /// It is revoked.
    #[default]
    Revoked,
    /// It ends soon.
    Ends {
        /// When.
        at: String,
        /// The token that takes over, if nobody has seen its secret.
        successor: Option<String>,
    },
    /// It goes on.
    GoesOn,
}

/// A token as a message names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    id: String,
    name: String,
    ends: Option<String>,
}

impl Told {
    /// What is said of a token.
    pub(crate) fn of(token: &Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.to_string(),
            ends: token.facts.expires_at.map(Timestamp::rfc3339_seconds),
        }
    }
}

impl TokenNotice {
    /// In one line.
    fn subject(&self, count: usize) -> String {
        match self {
            Self::Leaked { end: LeakedEnd::Revoked } => "A token leaked and was revoked".to_owned(),
            Self::Leaked { end: LeakedEnd::Ends { .. } } => "A token leaked and ends within an hour".to_owned(),
            Self::Leaked { end: LeakedEnd::GoesOn } => "A token leaked and still counts".to_owned(),
            Self::Reused => "A rotated token was used again".to_owned(),
            Self::Expiring { days } => {
                let (tokens, end) =
                    if count == 1 { ("1 token".to_owned(), "ends") } else { (format!("{count} tokens"), "end") };
                let within = if *days == 1 { "a day".to_owned() } else { format!("{days} days") };
                format!("{tokens} {end} within {within}")
            }
            Self::NewAddress { .. } => "A token was used from a new address".to_owned(),
        }
    }

    /// What happened, and what to do.
    const fn said(&self) -> (&'static str, &'static str) {
        match self {
            Self::Leaked { end: LeakedEnd::Revoked } => {
                ("was reported as leaked, and is revoked", "Replace it where it was used, and find out how it got out.")
            }
            Self::Leaked { end: LeakedEnd::Ends { successor: Some(_), .. } } => (
                "was reported as leaked, and ends within an hour",
                "Another token takes its place, and nobody has seen its secret: rotate that one to be shown it, and use it where the leaked one was used. Find out how the leaked one got out.",
            ),
            Self::Leaked { end: LeakedEnd::Ends { successor: None, .. } } => (
                "was reported as leaked, and ends within an hour",
                "It was rotated before it was reported: use its successor where it is still used, and find out how it got out.",
            ),
            Self::Leaked { end: LeakedEnd::GoesOn } => (
                "was reported as leaked, and still counts",
                "Your organisation chose to be told and nothing else. Rotate it without a grace or revoke it, and find out how it got out.",
            ),
            Self::Reused => (
                "was presented after it was rotated and its grace had ended",
                "A program that still has the old secret was forgotten, or somebody else has it. Find out which.",
            ),
            Self::Expiring { .. } => (
                "will end soon",
                "Rotate what is still in use. What is not needed ends by itself.\n\nYou can switch these messages off: PUT /v1/me/notices.",
            ),
            Self::NewAddress { .. } => (
                "was used from an address that it had not been used from before",
                "If you do not know the address, rotate the token without a grace.\n\nYou can switch these messages off: PUT /v1/me/notices.",
            ),
        }
    }

    fn text(&self, links: &str, organization: &str, tokens: &[Told], more: usize, at: &str) -> String {
        let (happened, advice) = self.said();
        let subject = if tokens.len() + more == 1 { "A token" } else { "Tokens" };
        let happened =
            if tokens.len() + more == 1 { happened.to_owned() } else { happened.replacen("was ", "were ", 1) };
        let mut text = format!("{subject} of the organisation {} {happened}.\n\n", quoted(organization));
        for Told { id, name, ends } in tokens {
            let ends = match (self, ends) {
                (Self::Expiring { .. }, Some(ends)) => format!(", until {ends}"),
                _ => String::new(),
            };
            text = format!("{text}Token {}{ends}\n{links}/tokens/{id}\n\n", quoted(name));
        }
        if more > 0 {
            text = format!("{text}And {more} more.\n\n");
        }
        if let Self::Leaked { end: LeakedEnd::Ends { at, successor } } = self {
            text = format!("{text}Ends: {at}\n");
            if let Some(successor) = successor {
                text = format!("{text}Takes over: {links}/tokens/{successor}\n");
            }
        }
        if let Self::NewAddress { address, agent } = self {
            text = format!("{text}From: {address}\n");
            if let Some(agent) = agent {
                text = format!("{text}Client: {}\n", quoted(agent));
            }
        }
        format!("{text}When: {at}\n\n{advice}\n")
    }
}

/// What a person is told about their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// Another address has taken the place of this one.
    AddressChanged,
    /// The password is another one.
    PasswordChanged,
    /// A second factor counts from now on.
    SecondFactorAdded,
    /// There is none any more.
    SecondFactorRemoved,
    /// There are new recovery codes, and the ones before are void.
    RecoveryCodesReplaced,
    /// An identity provider signs the person in from now on.
    IdentityLinked,
    /// Somebody signed in from a device that was not known.
    NewDevice,
}

impl Notice {
    /// In one line.
    const fn subject(self) -> &'static str {
        match self {
            Self::AddressChanged => "Your account has another address",
            Self::PasswordChanged => "Your password was changed",
            Self::SecondFactorAdded => "A second factor was added to your account",
            Self::SecondFactorRemoved => "The second factor of your account was removed",
            Self::RecoveryCodesReplaced => "Your recovery codes were replaced",
            Self::IdentityLinked => "Your account was linked to your organisation's sign-in",
            Self::NewDevice => "Sign-in from a new device",
        }
    }

    /// What happened, and what it means.
    const fn said(self) -> &'static str {
        match self {
            Self::AddressChanged => {
                "Your account has another e-mail address from now on. This is the last message to the old one."
            }
            Self::PasswordChanged => "The password of your account was changed. Other sessions were ended.",
            Self::SecondFactorAdded => {
                "Signing in to your account asks for a code of an app from now on. Other sessions were ended."
            }
            Self::IdentityLinked => {
                "Signing in with the account of your organisation leads to your account here from now on, for that organisation."
            }
            Self::SecondFactorRemoved => {
                "Signing in to your account no longer asks for a code of an app. Other sessions were ended."
            }
            Self::RecoveryCodesReplaced => "Your account has new recovery codes. The earlier ones no longer work.",
            Self::NewDevice => "Somebody signed in to your account from a device that it was not used on before.",
        }
    }
}

impl Letter {
    /// What a request did.
    pub(crate) fn notice(notice: Notice, origin: &Origin, at: Timestamp) -> Self {
        Self::Notice {
            notice,
            at: at.rfc3339_seconds(),
            address: origin.client_ip.map(|address| address.to_string()),
            agent: origin.agent(),
        }
    }

    /// What a request for a new password has sent.
    pub(crate) fn password_reset(origin: &Origin, at: Timestamp) -> Self {
        let address = origin.client_ip.map(|address| address.to_string());
        Self::PasswordReset { at: at.rfc3339_seconds(), address }
    }

    /// The letter without the name of the client, for an address that may belong to a stranger.
    pub(crate) fn without_agent(self) -> Self {
        match self {
            Self::Notice { notice, at, address, .. } => Self::Notice { notice, at, address, agent: None },
            Self::Invitation { .. } | Self::AddressCode { .. } | Self::PasswordReset { .. } | Self::Tokens { .. } => {
                self
            }
        }
    }

    /// As it is kept.
    pub(crate) fn written(&self) -> String {
        // Strings and words alone: nothing that serialisation could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was kept.
    ///
    /// # Errors
    /// A text that a version of this program wrote which is not this one.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| Failure::Inconsistent(format!("a message in the outbox: {error}")))
    }

    /// What the trail calls it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::AddressCode { .. } => "address_code",
            Self::PasswordReset { .. } => "password_reset",
            Self::Notice { .. } => "notice",
            Self::Tokens { notice: TokenNotice::Leaked { .. }, .. } => "token_leaked",
            Self::Tokens { notice: TokenNotice::Reused, .. } => "token_reuse_detected",
            Self::Tokens { notice: TokenNotice::Expiring { .. }, .. } => "token_expiring",
            Self::Tokens { notice: TokenNotice::NewAddress { .. }, .. } => "token_new_address",
        }
    }

    /// Subject and text. Codes are in the fragment of a link, which no browser sends and no log has, and once more to be copied.
    pub(crate) fn text(&self, links: &str, code: &str) -> (String, String) {
        match self {
            Self::Invitation { organization, until, .. } => {
                let organization = quoted(organization);
                let subject = format!("Invitation to {organization}");
                let text = format!(
                    "You are invited to join the organisation {organization} at {links}.\n\n\
                     Accept until {until}:\n\n{links}/invitation#{code}\n\n\
                     If the page asks for the code, it is:\n\n{code}\n\n\
                     If you do not know what this is about, do nothing: without the code nothing happens.\n"
                );
                (subject, text)
            }
            Self::AddressCode { .. } => {
                let text = format!(
                    "Somebody who is signed in at {links} requested this e-mail address for their account.\n\n\
                     If it was you, sign in there, then open this link within a day to verify the address:\n\n\
                     {links}/settings/email#{code}\n\n\
                     If the page asks for the code, it is:\n\n{code}\n\n\
                     If it was not you, do nothing: without the code the address is not used.\n"
                );
                ("Verify your e-mail address".to_owned(), text)
            }
            Self::PasswordReset { at, address } => {
                let from = address.as_ref().map(|address| format!("From: {address}\n")).unwrap_or_default();
                let text = format!(
                    "Somebody requested a new password for your account at {links}.\n\n\
                     When: {at}\n{from}\n\
                     If it was you, open this link within an hour of the request to choose one:\n\n\
                     {links}/password-reset#{code}\n\n\
                     If the page asks for the code, it is:\n\n{code}\n\n\
                     If it was not you, do nothing: your password stays as it is.\n"
                );
                ("Choose a new password".to_owned(), text)
            }
            Self::Notice { notice, at, address, agent } => {
                let mut text = format!("{}\n\nWhen: {at}\n", notice.said());
                if let Some(address) = address {
                    text = format!("{text}From: {address}\n");
                }
                if let Some(agent) = agent {
                    text = format!("{text}Client: {}\n", quoted(agent));
                }
                let text = format!(
                    "{text}Where: {links}\n\n\
                     If it was not you, change your password there at once, or ask those who operate the service.\n"
                );
                (notice.subject().to_owned(), text)
            }
            Self::Tokens { notice, organization, tokens, more, at } => {
                (notice.subject(tokens.len() + more), notice.text(links, organization, tokens, *more, at))
            }
        }
    }
}

/// A text that a person chose, in quotation marks. Quotation marks in it are replaced, so that it cannot seem to end, and URLs are
/// broken, so that mail programs make no links of them.
fn quoted(text: &str) -> String {
    let inner: String = text.chars().map(|letter| if "\"“”„‟«»".contains(letter) { '\'' } else { letter }).collect();
    format!("“{}”", inner.replace("://", ": //"))
}

/// Has a letter sent once the transaction commits; nothing where no mail is configured.
///
/// # Errors
/// An error of the store.
pub(crate) async fn queue(
    context: &Context,
    tx: &mut Tx,
    trail: Option<OrganizationId>,
    to: &Email,
    letter: &Letter,
) -> Result<(), Failure> {
    if context.policy.mail.is_none() {
        return Ok(());
    }
    let now = context.now();
    let record = QueuedMail {
        id: context.id(now)?,
        organization_id: trail,
        recipient: to.as_str().to_owned(),
        letter: letter.written(),
        attempts: 0,
        created_at: now,
        due_at: now,
    };
    Ok(tx.queue_mail(&record).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Letter> {
        let text = |text: &str| text.to_owned();
        let notice = |notice| Letter::Notice { notice, at: text("now"), address: Some(text("192.0.2.1")), agent: None };
        let notices = [
            Notice::AddressChanged,
            Notice::PasswordChanged,
            Notice::SecondFactorAdded,
            Notice::SecondFactorRemoved,
            Notice::RecoveryCodesReplaced,
            Notice::IdentityLinked,
            Notice::NewDevice,
        ];
        let invitation =
            Letter::Invitation { invitation: text("i"), organization: text("Ångström"), until: text("u") };
        let reset = Letter::PasswordReset { at: text("now"), address: Some(text("192.0.2.1")) };
        let about = |notice| Letter::Tokens {
            notice,
            organization: text("Ångström"),
            tokens: vec![Told { id: text("t"), name: text("CI” on main"), ends: Some(text("u")) }; 2],
            more: 3,
            at: text("now"),
        };
        let new_address = TokenNotice::NewAddress { address: text("192.0.2.1"), agent: Some(text("curl")) };
        let leaked = |end| TokenNotice::Leaked { end };
        let ends = |successor| leaked(LeakedEnd::Ends { at: text("in an hour"), successor });
        let tokens = [
            leaked(LeakedEnd::Revoked),
            leaked(LeakedEnd::GoesOn),
            ends(None),
            ends(Some(text("s"))),
            TokenNotice::Reused,
            TokenNotice::Expiring { days: 7 },
            new_address,
        ];
        let codes = [invitation, Letter::AddressCode { user: text("u") }, reset];
        codes.into_iter().chain(notices.map(notice)).chain(tokens.map(about)).collect()
    }

    #[test]
    fn a_name_stays_within_its_quotation_marks_and_is_no_link() {
        let text = quoted("Acme” at https://evil.example. Sign in “there");
        assert_eq!(text, "“Acme' at https: //evil.example. Sign in 'there”");
    }

    #[test]
    fn a_letter_says_what_became_of_a_leaked_token() {
        let about = |end| {
            let notice = TokenNotice::Leaked { end };
            let is_about = |letter: &Letter| matches!(letter, Letter::Tokens { notice: this, .. } if *this == notice);
            all().into_iter().find(is_about).unwrap()
        };
        let said = |end| about(end).text("https://tokens.example.com", "").1;
        assert!(said(LeakedEnd::Revoked).contains("were reported as leaked, and is revoked"));
        assert!(said(LeakedEnd::GoesOn).contains("still counts"));
        let ends = said(LeakedEnd::Ends { at: "in an hour".to_owned(), successor: Some("s".to_owned()) });
        assert!(ends.contains("Ends: in an hour\nTakes over: https://tokens.example.com/tokens/s\n"), "{ends}");
        // Queued by a version that always revoked.
        let old =
            r#"{"letter":"tokens","notice":{"notice":"leaked"},"organization":"o","tokens":[],"more":0,"at":"a"}"#;
        assert!(matches!(
            Letter::read(old),
            Ok(Letter::Tokens { notice: TokenNotice::Leaked { end: LeakedEnd::Revoked }, .. })
        ));
    }

    #[test]
    fn what_is_kept_reads_back_and_a_code_is_in_the_text_of_those_that_have_one() {
        for letter in all() {
            assert_eq!(Letter::read(&letter.written()).unwrap(), letter);
            let (subject, text) = letter.text("https://tokens.example.com", "the-code");
            assert!(!subject.contains('\n') && text.ends_with('\n'), "{subject}");
            let has_code = !matches!(letter, Letter::Notice { .. } | Letter::Tokens { .. });
            assert_eq!(text.contains("#the-code\n") && text.contains("\nthe-code\n"), has_code, "{text}");
            assert!(!letter.written().contains("the-code"));
        }
    }
}
