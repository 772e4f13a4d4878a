//! The facts on disk: one code for SQLite and PostgreSQL.
