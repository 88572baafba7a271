//! Digests: how an image names its parts, and the proof that a part is the one that was named.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// The digest of a document or a blob: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
///
/// Nothing else parses, so that a digest is safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    text: String,
}

/// The text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest; expected sha256: and 64 hexadecimal digits in lower case")]
pub struct NotADigest(pub String);

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_parts("sha256", &Sha256::digest(bytes))
    }

    /// The digest as text, algorithm first.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// The digits.
    pub fn hex(&self) -> &str {
        self.text.split(':').nth(1).unwrap_or_default()
    }

    /// Whether `bytes` have this digest.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish() == *self
    }

    /// Computes a digest of the same algorithm, piece by piece.
    pub fn hasher(&self) -> Hasher {
        match self.algorithm() {
            "sha512" => Hasher(Algorithm::Sha512(Box::default())),
            _ => Hasher::sha256(),
        }
    }

    fn from_parts(algorithm: &str, bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = format!("{algorithm}:");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self { text }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let bad = || NotADigest(text.chars().take(200).collect());
        let (algorithm, hex) = text.split_once(':').ok_or_else(bad)?;
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return Err(bad()),
        };
        let valid = hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self { text: text.to_owned() }) } else { Err(bad()) }
    }
}

/// A digest in the making.
pub struct Hasher(Algorithm);

enum Algorithm {
    Sha256(Box<Sha256>),
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// Of the algorithm that nearly everybody uses.
    pub fn sha256() -> Self {
        Self(Algorithm::Sha256(Box::default()))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Algorithm::Sha256(hasher) => hasher.update(bytes),
            Algorithm::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of everything that was added.
    pub fn finish(self) -> Digest {
        match self.0 {
            Algorithm::Sha256(hasher) => Digest::from_parts("sha256", &hasher.finalize()),
            Algorithm::Sha512(hasher) => Digest::from_parts("sha512", &hasher.finalize()),
        }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn bytes_match_their_digest_only() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), empty);
        let digest: Digest = empty.parse().unwrap();
        assert!(digest.matches(b"") && !digest.matches(b"x"));
        assert_eq!((digest.algorithm(), digest.hex().len()), ("sha256", 64));
        let long: Digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
        assert!(!long.matches(b"x"));
    }

    #[test]
    fn nothing_else_parses() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for text in ["", "sha256:", "sha256:../../etc/passwd", "md5:00", &upper] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
