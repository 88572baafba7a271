//! Redaction: a bundle with every identity replaced by a stable pseudonym, from which the same diagnosis comes.
//!
//! Replaced are account ids, resource ids, names (of runtimes, roles, repositories, buckets, people, …) wherever they occur, IP
//! addresses, e-mail addresses, hosts that are not AWS's or a public registry's, digests, UUIDs, access keys and tokens. Kept are
//! what a diagnosis reads and nobody is told apart by: Regions, zones, times, ports, statuses, AWS's own names and texts.
//!
//! The same original has the same pseudonym everywhere, of the same length and the same kind of characters. Pseudonyms are
//! **prefix-preserving**: two names that begin alike have pseudonyms that begin alike, so a policy for `my-app-*` still covers
//! `my-app-prod`; two addresses of one network stay in one network, so that routes and rules still hold.
//!
//! Pseudonyms depend on a secret key. Without one anybody could try all 10¹² account ids. By default the key is the digest of the
//! bundle itself: the same bundle gives the same bytes, two bundles cannot be linked, and who does not have the original cannot
//! try. A key of one's own gives the same pseudonyms in several bundles.
//!
//! **What it does not do:** it knows a name by the member or the ARN in which it stands, and then finds it everywhere. A name that
//! stands in free text only (a log line, a description) is not known as one. Read what you send.
//!
//! Start with [`redacted`], then `gather.rs` (what is a name), `rewrite.rs` (where it is replaced), `pseudonym.rs` (by what).

mod address;
mod gather;
mod pseudonym;
mod rewrite;
mod vocabulary;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::rewrite::Rewriter;

/// The member of a bundle's header that says it is redacted.
pub const MARK: &str = "redacted";

/// The secret that pseudonyms depend on.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of one's own: the same pseudonyms in every bundle that is redacted with it.
    pub fn from_secret(secret: &[u8]) -> Self {
        Self(Sha256::new().chain_update(b"launchpath redaction key\0").chain_update(secret).finalize().into())
    }

    /// The key of a bundle that is redacted alone.
    pub fn of_bundle(bundle: &Value) -> Self {
        Self::from_secret(bundle.to_string().as_bytes())
    }
}

/// The bundle with pseudonyms in the place of identities.
pub fn redacted(bundle: &Value, key: &Key) -> Value {
    let gathered = gather::gather(bundle);
    let mut rewriter = Rewriter::new(key, gathered);
    let mut redacted = rewriter.value(bundle);
    if let Some(header) = redacted.as_object_mut() {
        header.insert(MARK.to_owned(), json!("launchpath-redaction/1"));
    }
    redacted
}
