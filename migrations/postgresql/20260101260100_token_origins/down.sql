DROP TABLE token_scope_uses;
DROP TABLE token_origins;
