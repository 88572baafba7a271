//! The user's own short-lived credentials, for a rehearsal that is to run with them.
//!
//! Nothing is sent to any service beyond what finding credentials takes (SSO, assume-role). Long-lived keys are refused: a
//! process under rehearsal is not trusted with what cannot expire.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials as _;
use jiff::Timestamp;

use crate::settings::{CollectError, Settings};
use crate::transport;

/// Credentials that expire.
#[derive(Clone)]
pub struct ShortLived {
    /// `AccessKeyId`.
    pub access_key_id: String,
    /// `SecretAccessKey`.
    pub secret_access_key: String,
    /// `Token`.
    pub session_token: String,
    /// When they expire, RFC 3339; one hour from now where the provider does not say.
    pub expiration: String,
}

impl std::fmt::Debug for ShortLived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShortLived").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

/// The credentials that the AWS CLI would find with these settings.
pub async fn short_lived(settings: &Settings) -> Result<ShortLived, CollectError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(transport::client(None)?);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(credentials) = &settings.credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    let config = loader.load().await;
    let provider = config.credentials_provider().ok_or(CollectError::NoCredentials)?;
    let found = provider.provide_credentials().await.map_err(CollectError::Credentials)?;
    let session_token = found.session_token().ok_or(CollectError::LongLived)?.to_owned();
    let expiry = found.expiry().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let in_an_hour = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() + 3600;
    let seconds = expiry.map_or_else(in_an_hour, |time| time.as_secs());
    let expiration = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    Ok(ShortLived {
        access_key_id: found.access_key_id().to_owned(),
        secret_access_key: found.secret_access_key().to_owned(),
        session_token,
        expiration: expiration.unwrap_or(Timestamp::MAX).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::short_lived;
    use crate::settings::{CollectError, Settings};

    fn settings(token: Option<&str>) -> Settings {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", token.map(str::to_owned), None, "test");
        Settings { credentials: Some(SharedCredentialsProvider::new(credentials)), ..Settings::default() }
    }

    #[tokio::test]
    async fn only_what_expires_is_handed_out() {
        let found = short_lived(&settings(Some("token"))).await.unwrap();
        assert_eq!((found.access_key_id.as_str(), found.session_token.as_str()), ("AKIDEXAMPLE", "token"));
        assert!(found.expiration.ends_with('Z'), "{}", found.expiration);
        assert!(!format!("{found:?}").contains("secret"));
        assert!(matches!(short_lived(&settings(None)).await, Err(CollectError::LongLived)));
    }
}
