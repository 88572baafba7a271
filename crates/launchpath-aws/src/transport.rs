//! The HTTPS client, with the habits of the AWS CLI: `HTTPS_PROXY`, `NO_PROXY`, `AWS_CA_BUNDLE`.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::settings::CollectError;

const PROVIDER: Provider = Provider::Rustls(CryptoMode::AwsLc);

/// The client for an endpoint override, or for AWS itself.
pub(crate) fn client(endpoint_url: Option<&str>) -> Result<SharedHttpClient, CollectError> {
    // Nobody reaches an emulator on this machine through a proxy.
    let proxy =
        if endpoint_url.is_some_and(is_loopback) { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    // Without it nothing can be asked, credentials first of all.
    let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let tls = tls(bundle)
        .map_err(|error| CollectError::Credentials(CredentialsError::invalid_configuration(error)))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        if let Some(settings) = settings {
            connector = connector.connector_settings(settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(PROVIDER).tls_context(tls.clone()).build()
    }))
}

/// Why no HTTPS client could be made.
#[derive(Debug, thiserror::Error)]
enum TransportError {
    #[error("AWS_CA_BUNDLE names {}, which cannot be read", path.display())]
    CaBundle { path: PathBuf, source: std::io::Error },
    #[error("AWS_CA_BUNDLE names {}, which holds something else than certificates", path.display())]
    NotCertificates { path: PathBuf },
    #[error("the certificate authorities cannot be used")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The machine's own certificate authorities, or those of `AWS_CA_BUNDLE` instead.
// AWS: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
fn tls(bundle: Option<PathBuf>) -> Result<TlsContext, TransportError> {
    let Some(path) = bundle else {
        return TlsContext::builder().build().map_err(|error| TransportError::Tls(error.into()));
    };
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(TransportError::CaBundle { path, source }),
    };
    let store = TrustStore::empty().with_pem_certificate(pem);
    let context = TlsContext::builder().with_trust_store(store).build();
    let context = context.map_err(|error| TransportError::Tls(error.into()))?;
    // The SDK reads the certificates at the first connection, and panics when they are none.
    let trial = context.clone();
    let build = || Connector::builder().tls_provider(PROVIDER).tls_context(trial).build();
    match std::panic::catch_unwind(AssertUnwindSafe(build)) {
        Ok(_) => Ok(context),
        Err(_) => Err(TransportError::NotCertificates { path }),
    }
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &str) -> bool {
    let host = url.split("//").nth(1).unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_holds_no_certificates_is_refused_at_once() {
        let file = std::env::temp_dir().join(format!("launchpath-ca-{}.pem", std::process::id()));
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        let refused = tls(Some(file.clone()));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(refused, Err(TransportError::NotCertificates { path }) if path == file));
        let missing = tls(Some(PathBuf::from("/nonexistent/ca.pem")));
        assert!(matches!(missing, Err(TransportError::CaBundle { .. })));
        assert!(tls(None).is_ok());
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for url in ["http://localhost:5000", "http://127.0.0.1:5000/x", "http://[::1]:5000"] {
            assert!(is_loopback(url), "{url}");
        }
        assert!(!is_loopback("https://ec2.us-east-1.amazonaws.com/?127.0.0.1"));
    }
}
