//! What a token means: ids, scopes, status, rotation, decisions.
