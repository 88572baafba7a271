//! Brings an image or a code zip here from wherever it is: an OCI layout, an archive, a registry, a container engine, a folder.
//!
//! What it is: reading, downloading, checking digests, within limits. What it is not: it judges nothing ([`launchpath_image`]
//! does) and runs nothing (`launchpath-rehearse` does).
