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
        MissingParameter = BAD_REQUEST, "missing required parameter", "Add the parameter that is named to the query.";
        /// Two credentials that differ.
        ConflictingCredentials = BAD_REQUEST, "conflicting credentials", "Send one credential, in one header.";
        /// No credential.
        Unauthenticated = UNAUTHORIZED, "authentication required", "Send `Authorization: Bearer` with a session token or an API token.";
        /// A credential that is unknown, expired or revoked; the answer does not say which.
        InvalidToken = UNAUTHORIZED, "invalid token", "Use a credential that exists and is neither expired nor revoked.";
        /// The organisation has reached its cap on tokens.
        LimitReached = PAYMENT_REQUIRED, "token limit reached", "Revoke a token that is not needed, or raise the limit.";
        /// A valid credential without the scope.
        InsufficientScope = FORBIDDEN, "insufficient scope", "Use a credential that has the scopes listed in `missing`.";
        /// A valid credential that may not do this, whatever its scopes.
        Forbidden = FORBIDDEN, "forbidden", "Use a credential that may do this.";
        /// Does not exist, or belongs to another organisation or project.
        NotFound = NOT_FOUND, "not found", "Check the path and the id; what belongs to others is not found either.";
        /// No such operation on this path.
        MethodNotAllowed = METHOD_NOT_ALLOWED, "method not allowed", "Use one of the methods in the `Allow` header.";
        /// The body did not arrive in time.
        RequestTimeout = REQUEST_TIMEOUT, "request timeout", "Send the whole body sooner; the connection was closed.";
        /// The state of the resource does not permit the request.
        Conflict = CONFLICT, "conflict", "Read the current state and decide again.";
        /// The body is too long.
        PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload too large", "Send a shorter body: at most 64 KiB, 4 KiB on validation.";
        /// A body that can be read but asks for something that this service never does.
        UnprocessableContent = UNPROCESSABLE_ENTITY, "unprocessable content", "Correct the field named in `field`; the request was not carried out.";
        /// Too many attempts.
        TooManyRequests = TOO_MANY_REQUESTS, "too many requests", "Wait as long as `Retry-After` says, in seconds.";
        /// A fault of this service.
        Internal = INTERNAL_SERVER_ERROR, "internal error", "Try again; if it goes on, report the X-Request-ID of this response.";
        /// The service is overloaded, or cannot reach something it depends on.
        Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Try again after the seconds in `Retry-After`; this says nothing about any token.";
        /// The deployment has no organisation yet.
        NotSetUp = SERVICE_UNAVAILABLE, "not set up", "Set this deployment up first, with `nolapse-api setup` or the link the server printed; if it was, correct its database URL.";
    }
    exact {
        /// A change to the scopes of an existing token.
        ScopesFixed of InvalidRequest = "scopes cannot be changed", "Create another token with the scopes you need and revoke this one.";
        /// Another grant type than token exchange (RFC 6749 §5.2).
        UnsupportedGrantType of InvalidRequest = "unsupported_grant_type", "Send grant_type=urn:ietf:params:oauth:grant-type:token-exchange.";
        /// An identity token that is not accepted.
        InvalidGrant of InvalidRequest = "invalid_grant", "Ask the issuer for another identity token, for the audience of the trust policy.";
        /// An organisation that does not exist (RFC 8693 §2.2.2).
        InvalidTarget of InvalidRequest = "invalid_target", "Send the id or the slug of an organisation as audience, or leave it out.";
        /// Scopes beyond those of a trust policy.
        InvalidScope of InvalidRequest = "invalid_scope", "Ask for scopes within those of the trust policy.";
        /// A workload that no trust policy fits.
        UnauthorizedClient of InvalidRequest = "unauthorized_client", "Look at the attempts under the trust policy, or test it: both say which claim differs.";
        /// A change to a slug.
        SlugFixed of InvalidRequest = "slug cannot be changed", "Leave the slug as it is, or make another one.";
        /// A change to the cap on tokens by a caller inside the organisation.
        TokenCapFixed of InvalidRequest = "token_cap cannot be changed", "Ask whoever operates this deployment to change the cap.";
        /// A short path, called with a credential that is bound to no project.
        NotBound of InvalidRequest = "credential bound to no project", "Use a token that was made with a project_id, or name the project: /v1/organizations/{org}/projects/{project}/….";
        /// Two credentials that differ, on a gateway's question: 401, because nginx turns a 400 into a 500.
        ConflictingAtGateway of Unauthenticated = "conflicting credentials", "Send one credential, in one header.";
        /// Wrong e-mail address, password or organisation; the answer does not say which.
        InvalidCredentials of InvalidToken = "invalid credentials", "Check the e-mail address, the password and the organisation.";
        /// An invitation that is unknown, used, withdrawn or expired.
        InvalidInvitation of InvalidToken = "invalid invitation", "Ask for another invitation: this one is unknown, used, withdrawn or expired.";
        /// The password is right, but the person's second factor was not presented.
        SecondFactorRequired of InvalidToken = "second factor required", "The password is right: send it again with `code`, or with a `recovery_code`.";
        /// A wrong code of the second factor, at sign-in.
        WrongSignInCode of InvalidToken = "wrong code", "Send the code the app shows now; each is good once. Check the clock of the device, or send a `recovery_code`.";
        /// A valid token, presented from outside its allowed networks.
        AddressNotAllowed of Forbidden = "address not allowed", "The token may be used from its allowed networks only: present it from there, and say from where in `ip`.";
        /// A request that the organisation's token policy does not allow.
        ForbiddenByPolicy of Forbidden = "forbidden by policy", "Ask for what the organisation's token policy allows: GET /v1/organizations/{org_id}/token-policy.";
        /// No row of the gateway's route table fits the request, whatever the token may do.
        NoRoute of Forbidden = "no route", "The route table of this gateway has no row for the method and path of this request.";
        /// The organisation requires a second factor that the person does not have.
        SecondFactorSetupRequired of Forbidden = "second factor required", "Your organisation asks for a second factor: set one up, POST /v1/me/totp. Until then this session is good for nothing else.";
        /// A session without a recent proof of the person, on a request that changes how they sign in.
        RecentProofNeeded of Forbidden = "recent proof needed", "Prove that it is you, and send this again: POST /v1/sessions/current/proof with your password, a code or a recovery code.";
        /// A key or a token, where a session is required.
        SessionNeeded of Forbidden = "session needed", "Sign in: the address and the sessions of a person change in a session, never by a key or token.";
        /// A token in its grace, on a request whose result would outlive it.
        TokenRotated of Forbidden = "token was rotated", "Use the successor: a token in its grace makes no tokens, rotates nothing and takes no rotation back.";
        /// A wrong code of the second factor, from somebody signed in.
        WrongCode of Forbidden = "wrong code", "Send the code the app shows now; each is good once. Check the clock of the device.";
        /// A wrong password, from somebody signed in.
        WrongPassword of Forbidden = "wrong password", "Send the password in use now as `current_password`.";
        /// A wrong set-up code.
        WrongSetupCode of Forbidden = "wrong set-up code", "Use the link that the server printed when it started last.";
        /// A token for an actor that is switched off.
        ActorDisabled of Conflict = "actor is disabled", "Switch the actor on, or give it a later end, before it gets a token.";
        /// A token for an actor that has ended.
        ActorExpired of Conflict = "actor is expired", "Switch the actor on, or give it a later end, before it gets a token.";
        /// Something with actors, deleted with `ifAssigned=reject`.
        ActorsAssigned of Conflict = "actors assigned", "Move its actors away first, or leave out ifAssigned=reject.";
        /// An idempotency key whose request was carried out.
        AlreadyCarriedOut of Conflict = "request already carried out", "This Idempotency-Key made the token in `id`; its secret was shown then and cannot be shown again.";
        /// An invitation for somebody who has an open one.
        AlreadyInvited of Conflict = "already invited", "Delete the invitation in `id` before you make another.";
        /// Somebody who is a member.
        AlreadyMember of Conflict = "already a member", "Change the member instead.";
        /// Set-up of a deployment that is set up.
        AlreadySetUp of Conflict = "already set up", "Sign in instead: POST /v1/sessions.";
        /// Another number of tokens than the caller expected.
        CountDiffers of Conflict = "count differs", "Another number of tokens matches than `expected_count` says: look again before revoking.";
        /// An idempotency key that was used for another request.
        IdempotencyKeyReused of Conflict = "idempotency key reused", "This Idempotency-Key was used for another request; choose a new one.";
        /// The person has the maximum of keys in the organisation.
        KeyLimitReached of Conflict = "key limit reached", "Revoke a key that is not needed: a person may have so many in an organisation.";
        /// The organisation would be left without an owner.
        LastOwner of Conflict = "last owner", "Make somebody else an owner first.";
        /// A request that needs a second factor, from a person without one.
        NoSecondFactor of Conflict = "no second factor", "Set one up: POST /v1/me/totp, then POST /v1/me/totp/confirm with a code of it.";
        /// A change to a built-in role.
        RoleBuiltIn of Conflict = "role is built in", "Built-in roles stay as they are: make one of your own.";
        /// The name of another role, or a name that looks like it.
        RoleNameTaken of Conflict = "role name taken", "Choose a name that no other role has or looks like.";
        /// A second factor for a person who has one.
        SecondFactorAlreadySet of Conflict = "second factor already set up", "Remove it first: DELETE /v1/me/totp.";
        /// A slug that is in use.
        SlugTaken of Conflict = "slug taken", "Choose another slug.";
        /// A rotation to cancel, of a token that is not rotating.
        TokenActive of Conflict = "token is active", "The token is active: there is no rotation to take back.";
        /// A rotation of a token that has expired.
        TokenExpired of Conflict = "token is expired", "The token has expired: create another one.";
        /// A rotation of a token that was revoked.
        TokenRevoked of Conflict = "token is revoked", "The token is revoked: create another one.";
        /// A rotation of a token that is rotating.
        TokenRotating of Conflict = "token is rotating", "The token is rotating: use its successor, or cancel the rotation.";
        /// More trust policies than an organisation may have.
        TooManyTrustPolicies of Conflict = "too many trust policies", "Delete one that is not needed.";
        /// More roles than an organisation may have.
        TooManyRoles of Conflict = "too many roles", "Delete a role that nobody needs.";
        /// A verification of an audit trail while another one runs.
        VerificationUnderWay of Conflict = "verification under way", "The trail is being verified already; ask again when that is done.";
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
         Every error is `{\"error\": …, \"message\": …, \"statusCode\": …}`. `error` is stable and for programs, `message` says what to do and may\n\
         change. Fields are added where they help (`field` names what was not acceptable, `missing` the scopes that were not there).\n\
         These are what any operation may answer; the second table has what some answer instead, as their documentation says.\n\
         A 5xx says no more than this; the detail is in the log under the `X-Request-ID` of the response.\n\n\
         | status | `error` | `message` |\n|---|---|---|\n",
    );
    rows(&mut text, Code::GENERAL);
    text.push_str("\n| status | more exact `error` | `message` |\n|---|---|---|\n");
    rows(&mut text, Code::EXACT);
    text.push_str(
        "\nTwo texts go on after what the table says: `missing required parameter: ` with the parameter's name, and `token limit reached` \
         with the numbers, which `used` and `limit` have as well.\n\n\
         401 carries `WWW-Authenticate: Bearer realm=\"nolapse\"`, with `error=\"invalid_token\"` when a credential was presented; 403 for want of a\n\
         scope carries `error=\"insufficient_scope\"` and the scopes that are missing, and `X-Accepted-Scopes` with the smallest sets of scopes that\n\
         would do: sets separated by commas, names in a set by spaces, the set that permits least first. 405 carries `Allow`. 429 and 503 carry `Retry-After` in seconds.\n\n\
         Bytes that are not HTTP at all never reach the application: an unreadable request line, header or body framing is answered\n\
         400, a head that is too large 431 and one that does not arrive in time 408, each with an empty body, and the connection closes.\n",
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
