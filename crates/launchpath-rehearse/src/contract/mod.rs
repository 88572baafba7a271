//! The service's contract, clause by clause: ports, paths, timing, status codes, for each protocol.
