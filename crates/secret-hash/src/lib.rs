//! How a secret is stored and checked: schemes, tags, cost.
