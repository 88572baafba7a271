//! What a rehearsal saw, as plain data: the `Rehearse` call of a bundle.
