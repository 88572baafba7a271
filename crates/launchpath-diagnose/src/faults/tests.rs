//! The catalogue held to its own rules.
