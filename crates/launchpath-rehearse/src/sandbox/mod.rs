//! A sandbox like a session's microVM: own namespaces, a copy-on-write root, limits, no way out.
