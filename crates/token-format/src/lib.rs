//! What an nlp_ token is: make, parse, checksum, redact, find in text.
