//! The nolapse-api binary: wire surfaces, command line, composition root.
