//! The one table of public error codes. `docs/reference/errors.md` is generated from it.
//!
//! **Invariant:** the text of a code never changes once released; clients compare it.

use std::fmt::Write as _;

use actix_web::http::StatusCode;

/// What the table says of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The `error` field.
    pub error: &'static str,
    /// The status, also the `statusCode` field.
    pub status: StatusCode,
    /// What the client can do about it: the `message` field, unless the operation has a more exact one.
    pub message: &'static str,
}

/// Makes [`Code`] from the table: each general code with its status, each exact code with its general one.
macro_rules! codes {
    (
        general { $($(#[$about:meta])* $code:ident = $status:ident, $error:literal, $message:literal;)+ }
        exact { $($(#[$exact_about:meta])* $exact:ident of $of:ident = $exact_error:literal, $exact_message:literal;)+ }
    ) => {
        /// A public error: what its `error` and `statusCode` fields say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$about])* $code,)+
            $($(#[$exact_about])* $exact,)+
        }

        impl Code {
            /// The codes that any operation may answer, by status. [`Code::of_status`] takes the first of a status.
            pub const GENERAL: &'static [Self] = &[$(Self::$code),+];
            /// The more exact codes that some operations answer, by status.
            pub const EXACT: &'static [Self] = &[$(Self::$exact),+];

            /// The general code that this one is a case of; itself, if it is general.
            #[must_use]
            pub const fn general(self) -> Self {
                match self {
                    $(Self::$code => Self::$code,)+
                    $(Self::$exact => Self::$of,)+
                }
            }

            /// The row of the table.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$code => Entry { error: $error, status: StatusCode::$status, message: $message },)+
                    $(Self::$exact => Entry {
                        error: $exact_error,
                        status: Self::$of.entry().status,
                        message: $exact_message,
                    },)+
                }
            }
        }
    };
}

codes! {
    general {
        /// The request cannot be read.
        MalformedRequest = BAD_REQUEST, "malformed request", "Send a JSON object in UTF-8, without duplicate keys, at most 32 levels deep.";
        /// The request can be read, but a field or parameter is not acceptable.
        InvalidRequest = BAD_REQUEST, "invalid request", "Correct the field or parameter named in `field`.";
        /// A query parameter is absent.
        MissingParameter = BAD_REQUEST, "missing required parameter", "Add the missing parameter to the query.";
        /// Two credentials that differ.
        ConflictingCredentials = BAD_REQUEST, "conflicting credentials", "Send one credential, in one header.";
        /// No credential.
        Unauthenticated = UNAUTHORIZED, "authentication required", "Send `Authorization: Bearer` with a session token or an API token.";
        /// A credential that is unknown, expired or revoked; the answer does not say which.
        InvalidToken = UNAUTHORIZED, "invalid token", "Use a valid credential: this one is unknown, expired or revoked.";
        /// The organisation has reached its cap on tokens.
        LimitReached = PAYMENT_REQUIRED, "token limit reached", "Revoke a token that is not needed, or ask the operator to raise the limit.";
        /// A valid credential without the scope.
        InsufficientScope = FORBIDDEN, "insufficient scope", "Use a credential that has the scopes listed in `missing`.";
        /// A valid credential that may not do this, whatever its scopes.
        Forbidden = FORBIDDEN, "forbidden", "Use a credential that is allowed to do this.";
        /// Does not exist, or belongs to another organisation or project.
        NotFound = NOT_FOUND, "not found", "Check the path and the id. Resources of other organisations and projects are reported as not found.";
        /// No such operation on this path.
        MethodNotAllowed = METHOD_NOT_ALLOWED, "method not allowed", "Use one of the methods in the `Allow` header.";
        /// The body did not arrive in time.
        RequestTimeout = REQUEST_TIMEOUT, "request timeout", "Send the whole body faster. The connection was closed.";
        /// The state of the resource does not permit the request.
        Conflict = CONFLICT, "conflict", "Read the current state and try again.";
        /// The body is too long.
        PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload too large", "Send a shorter body: at most 64 KiB, or 4 KiB for validations.";
        /// A body that can be read but asks for something that this service never does.
        UnprocessableContent = UNPROCESSABLE_ENTITY, "unprocessable content", "Correct the field named in `field`. The request was not carried out.";
        /// Too many attempts.
        TooManyRequests = TOO_MANY_REQUESTS, "too many requests", "Wait for the number of seconds in `Retry-After`, then try again.";
        /// A fault of this service.
        Internal = INTERNAL_SERVER_ERROR, "internal error", "Try again. If the error persists, report the X-Request-ID of this response.";
        /// The service is overloaded, or cannot reach something it depends on.
        Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Try again after the number of seconds in `Retry-After`. This error says nothing about the validity of a token.";
        /// The deployment has no organisation yet.
        NotSetUp = SERVICE_UNAVAILABLE, "not set up", "Set up this deployment first, with `nolapse-api setup` or the link that the server printed. If it has been set up before, check its database URL.";
    }
    exact {
        /// A change to the scopes of an existing token.
        ScopesFixed of InvalidRequest = "scopes cannot be changed", "Create another token with the scopes you need, and revoke this one.";
        /// Another grant type than token exchange (RFC 6749 §5.2).
        UnsupportedGrantType of InvalidRequest = "unsupported_grant_type", "Send grant_type=urn:ietf:params:oauth:grant-type:token-exchange.";
        /// An identity token that is not accepted.
        InvalidGrant of InvalidRequest = "invalid_grant", "Request another identity token from the issuer, for the audience of the trust policy.";
        /// An organisation that does not exist (RFC 8693 §2.2.2).
        InvalidTarget of InvalidRequest = "invalid_target", "Send the id or the slug of an organisation as `audience`, or leave it out.";
        /// Scopes beyond those of a trust policy.
        InvalidScope of InvalidRequest = "invalid_scope", "Request only scopes that the trust policy has.";
        /// A workload that no trust policy fits.
        UnauthorizedClient of InvalidRequest = "unauthorized_client", "List the attempts under the trust policy, or test the policy: both show which claim differs.";
        /// A change to a slug.
        SlugFixed of InvalidRequest = "slug cannot be changed", "Leave the slug as it is, or create another resource with the new slug.";
        /// A change to the cap on tokens by a caller inside the organisation.
        TokenCapFixed of InvalidRequest = "token_cap cannot be changed", "Ask the operator of this deployment to change the cap.";
        /// A short path, called with a credential that is bound to no project.
        NotBound of InvalidRequest = "credential bound to no project", "Use a token that is bound to a project, or use the long path: /v1/organizations/{org}/projects/{project}/….";
        /// Two credentials that differ, on a gateway's question: 401, because nginx turns a 400 into a 500.
        ConflictingAtGateway of Unauthenticated = "conflicting credentials", "Send one credential, in one header.";
        /// Wrong e-mail address, password or organisation; the answer does not say which.
        InvalidCredentials of InvalidToken = "invalid credentials", "Check the e-mail address, the password and the organisation.";
        /// An invitation that is unknown, used, withdrawn or expired.
        InvalidInvitation of InvalidToken = "invalid invitation", "Ask for a new invitation: this one is unknown, used, withdrawn or expired.";
        /// A code for a new password that is unknown, used or expired.
        InvalidResetCode of InvalidToken = "invalid reset code", "Use the code of the latest message. Codes are valid for an hour and work once; request another one with POST /v1/password-resets.";
        /// The password is right, but the organisation's people sign in by an identity provider.
        SsoRequired of InvalidToken = "single sign-on required", "Sign in on the page /sign-in with the organisation's account: passwords are for its owners alone.";
        /// The password is right, but the person's second factor was not presented.
        SecondFactorRequired of InvalidToken = "second factor required", "The password is correct. Send it again with `code` or `recovery_code`.";
        /// A wrong code of the second factor, at sign-in.
        WrongSignInCode of InvalidToken = "wrong code", "Send the code that the authenticator app shows now; each code works once. Check the clock of the device, or send a `recovery_code`.";
        /// A valid token, presented from outside its allowed networks.
        AddressNotAllowed of Forbidden = "address not allowed", "Use the token from one of its allowed networks, and send the address of the client in `ip`.";
        /// A request that the organisation's token policy does not allow.
        ForbiddenByPolicy of Forbidden = "forbidden by policy", "Change the request so that the organisation's token policy allows it: GET /v1/organizations/{org_id}/token-policy.";
        /// No row of the gateway's route table fits the request, whatever the token may do.
        NoRoute of Forbidden = "no route", "The route table of this gateway has no row for the method and path of this request.";
        /// The organisation requires a second factor that the person does not have.
        SecondFactorSetupRequired of Forbidden = "second factor required", "Your organisation requires a second factor. Set one up with POST /v1/me/totp; until then, this session can do nothing else.";
        /// A session without a recent proof of the person, on a request that changes how they sign in.
        RecentProofNeeded of Forbidden = "recent proof needed", "Prove your identity with POST /v1/sessions/current/proof (password, code or recovery code), then send this request again.";
        /// A session that an identity provider made, on a request that concerns the person in all organisations.
        SessionOfProvider of Forbidden = "session of one organization", "Sign in with your password: this session was made by the identity provider of your organisation and counts for that organisation alone, not for others and not for how you sign in.";
        /// A password, or a code, as a proof to an organisation that requires its identity provider.
        ProofAtProvider of Forbidden = "single sign-on required", "Sign in again on the page /sign-in with the organisation's account: that is the proof.";
        /// A key or a token, where a session is required.
        SessionNeeded of Forbidden = "session needed", "Sign in: this requires a session. Keys and tokens cannot change the e-mail address or the sessions of a person.";
        /// A token in its grace, on a request whose result would outlive it.
        TokenRotated of Forbidden = "token was rotated", "Use the new token. A token in its grace period cannot create tokens, rotate tokens or cancel a rotation.";
        /// A wrong code of the second factor, from somebody signed in.
        WrongCode of Forbidden = "wrong code", "Send the code that the authenticator app shows now; each code works once. Check the clock of the device.";
        /// A wrong code for an e-mail address.
        InvalidAddressCode of Forbidden = "invalid address code", "Use the code of the latest message to the address. Codes are valid for a day and work once; request another one with PATCH /v1/me.";
        /// A wrong password, from somebody signed in.
        WrongPassword of Forbidden = "wrong password", "Send the current password as `current_password`.";
        /// A wrong set-up code.
        WrongSetupCode of Forbidden = "wrong set-up code", "Use the link that the server printed at its latest start.";
        /// A webhook, in a deployment whose operator has not switched them on.
        WebhooksOff of Forbidden = "webhooks are off", "Ask the operator to set webhooks.enabled: this deployment sends nothing to webhooks.";
        /// A token for an actor that is switched off.
        ActorDisabled of Conflict = "actor is disabled", "Enable the actor, or set a later expiry, before you request a token for it.";
        /// A token for an actor that has ended.
        ActorExpired of Conflict = "actor is expired", "Enable the actor, or set a later expiry, before you request a token for it.";
        /// Something with actors, deleted with `ifAssigned=reject`.
        ActorsAssigned of Conflict = "actors assigned", "Move its actors first, or leave out `ifAssigned=reject`.";
        /// An address that another account has, for somebody who verified it.
        AddressTaken of Conflict = "address taken", "Another account has this e-mail address. Sign in with that account, or ask the operator.";
        /// An idempotency key whose request was carried out.
        AlreadyCarriedOut of Conflict = "request already carried out", "This Idempotency-Key created the token in `id`. The secret was shown then and cannot be shown again.";
        /// An invitation for somebody who has an open one.
        AlreadyInvited of Conflict = "already invited", "Delete the invitation in `id` before you create another one.";
        /// Somebody who is a member.
        AlreadyMember of Conflict = "already a member", "Update the existing member instead.";
        /// Set-up of a deployment that is set up.
        AlreadySetUp of Conflict = "already set up", "Sign in instead: POST /v1/sessions.";
        /// Another number of tokens than the caller expected.
        CountDiffers of Conflict = "count differs", "The number of matching tokens differs from `expected_count`. Check the tokens again before you revoke them.";
        /// An import into a deployment that would not find the tokens.
        ImportsNotLookedUp of Conflict = "imports not looked up", "This deployment does not look up keys of other systems, so imported tokens would not work. Ask the operator to set `tokens.legacy_lookup` or `tokens.legacy_shapes`.";
        /// An idempotency key that was used for another request.
        IdempotencyKeyReused of Conflict = "idempotency key reused", "This Idempotency-Key was used for another request. Use a new one.";
        /// The person has the maximum of keys in the organisation.
        KeyLimitReached of Conflict = "key limit reached", "Revoke a key that is not needed. `limit` is the maximum number of keys per person in an organisation.";
        /// The organisation would be left without an owner.
        LastOwner of Conflict = "last owner", "Make another member an owner first.";
        /// A request for a message, to a deployment that sends none.
        MailNotConfigured of Conflict = "mail not configured", "This deployment sends no mail. Ask its operator for a new password.";
        /// A request that needs a second factor, from a person without one.
        NoSecondFactor of Conflict = "no second factor", "Set up a second factor: POST /v1/me/totp, then POST /v1/me/totp/confirm with a code.";
        /// A change to a built-in role.
        RoleBuiltIn of Conflict = "role is built in", "Built-in roles cannot be changed or deleted. Create a role of your own.";
        /// The name of another role, or a name that looks like it.
        RoleNameTaken of Conflict = "role name taken", "Choose a name that does not match or resemble the name of another role.";
        /// A second factor for a person who has one.
        SecondFactorAlreadySet of Conflict = "second factor already set up", "Remove it first: DELETE /v1/me/totp.";
        /// A slug that is in use.
        SlugTaken of Conflict = "slug taken", "Choose another slug.";
        /// A rotation to cancel, of a token that is not rotating.
        TokenActive of Conflict = "token is active", "The token is active. There is no rotation to cancel.";
        /// A rotation of a token that has expired.
        TokenExpired of Conflict = "token is expired", "The token has expired. Create another one.";
        /// A rotation of a token that was revoked.
        TokenRevoked of Conflict = "token is revoked", "The token is revoked. Create another one.";
        /// A rotation of a token that is rotating.
        TokenRotating of Conflict = "token is rotating", "The token is already rotating. Use the new token, or cancel the rotation.";
        /// More webhooks than an organisation may have.
        TooManyWebhooks of Conflict = "too many webhooks", "Delete a webhook that is not needed.";
        /// Something to be sent to a webhook that is disabled.
        WebhookDisabled of Conflict = "webhook disabled", "Enable the webhook first: PATCH /v1/organizations/{org_id}/webhooks/{webhook_id}.";
        /// More trust policies than an organisation may have.
        TooManyTrustPolicies of Conflict = "too many trust policies", "Delete a trust policy that is not needed.";
        /// More roles than an organisation may have.
        TooManyRoles of Conflict = "too many roles", "Delete a role that is not needed.";
        /// A verification of an audit trail while another one runs.
        VerificationUnderWay of Conflict = "verification under way", "A verification of this trail is already running. Try again when it has finished.";
    }
}

impl Code {
    /// The OAuth error code for it (RFC 6749 §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1); `None` where the standards have no
    /// code and for faults of this service.
    pub const fn in_oauth(self) -> Option<&'static str> {
        match self {
            Self::UnsupportedGrantType
            | Self::InvalidGrant
            | Self::InvalidTarget
            | Self::InvalidScope
            | Self::UnauthorizedClient => return Some(self.entry().error),
            _ => {}
        }
        match self.general() {
            Self::MalformedRequest
            | Self::InvalidRequest
            | Self::MissingParameter
            | Self::ConflictingCredentials
            | Self::RequestTimeout
            | Self::PayloadTooLarge
            | Self::UnprocessableContent => Some("invalid_request"),
            Self::Unauthenticated | Self::InvalidToken => Some("invalid_client"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::Forbidden => Some("access_denied"),
            Self::TooManyRequests => Some("temporarily_unavailable"),
            _ => None,
        }
    }

    /// The code for a status that the framework produced.
    pub fn of_status(status: StatusCode) -> Self {
        let same = Self::GENERAL.iter().copied().find(|code| code.entry().status == status);
        same.unwrap_or(if status.is_client_error() { Self::MalformedRequest } else { Self::Internal })
    }
}

/// `docs/reference/errors.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Errors\n\n\
         Generated by `nolapse-api reference errors`; do not edit.\n\n\
         Every error is `{\"error\": …, \"message\": …, \"statusCode\": …}`. `error` is stable and for programs; `message` says what to do and may\n\
         change. Some errors have further fields: `field` is the field or parameter that is not acceptable, `missing` the scopes that are missing.\n\
         The first table has the errors that any operation may return, the second one the errors that replace them in some operations.\n\
         A 5xx has no further details; they are in the log under the `X-Request-ID` of the response.\n\n\
         | status | `error` | `message` |\n|---|---|---|\n",
    );
    rows(&mut text, Code::GENERAL);
    text.push_str("\n| status | more exact `error` | `message` |\n|---|---|---|\n");
    rows(&mut text, Code::EXACT);
    text.push_str(
        "\nTwo codes are followed by details: `missing required parameter: ` by the name of the parameter, and `token limit reached` \
         by the numbers that are also in `used` and `limit`.\n\n\
         401 carries `WWW-Authenticate: Bearer realm=\"nolapse\"`, with `error=\"invalid_token\"` when a credential was presented. 403 for a missing\n\
         scope carries `error=\"insufficient_scope\"` and the scopes that are missing, and `X-Accepted-Scopes` with the smallest sufficient sets of\n\
         scopes: sets are separated by commas, names in a set by spaces, and the least permissive set comes first. 405 carries `Allow`. 429 and 503 carry `Retry-After` in seconds.\n\n\
         Requests that are not valid HTTP do not reach the application: an unreadable request line, header or body framing is answered\n\
         400, a head that is too large 431 and one that does not arrive in time 408. The body is empty, and the connection is closed.\n",
    );
    text
}

fn rows(text: &mut String, codes: &[Code]) {
    for code in codes {
        let Entry { error, status, message } = code.entry();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} | `{error}` | {message} |", status.as_u16());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_are_told_apart_and_sorted_by_status() {
        let all = || Code::GENERAL.iter().chain(Code::EXACT).map(|code| code.entry());
        let told: BTreeSet<(u16, &str)> = all().map(|entry| (entry.status.as_u16(), entry.error)).collect();
        assert_eq!(told.len(), Code::GENERAL.len() + Code::EXACT.len());
        for codes in [Code::GENERAL, Code::EXACT] {
            assert!(codes.is_sorted_by_key(|code| code.entry().status.as_u16()));
        }
    }

    #[test]
    fn every_exact_code_is_a_case_of_a_general_one() {
        for code in Code::EXACT {
            assert!(Code::GENERAL.contains(&code.general()), "{code:?}");
            assert!(!code.entry().status.is_server_error(), "{code:?}: a 5xx says nothing more exact");
        }
    }

    #[test]
    fn any_status_has_a_code() {
        let rows = [
            (400, Code::MalformedRequest),
            (413, Code::PayloadTooLarge),
            (418, Code::MalformedRequest),
            (502, Code::Internal),
        ];
        for (status, code) in rows {
            assert_eq!(Code::of_status(StatusCode::from_u16(status).unwrap()), code);
        }
    }

    #[test]
    fn the_reference_is_current() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/errors.md");
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == markdown(), "run `nolapse-api reference errors` and commit it");
    }
}
