//! The verbs: issue, validate, rotate, revoke, sign in, report use.
