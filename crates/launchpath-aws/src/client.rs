//! Sending one call: credentials, Region, signing, retries, time-outs, pages.
//!
//! One generic operation on the AWS SDK's orchestrator serves every service; the facts of
//! [`crate::facts`] say how each is written and read. What to ask is decided elsewhere
//! ([`crate::plan`]). Start reading at [`Client::connect`] and [`Client::ask`].

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::{SharedIdentityCache, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use serde_json::{Map, Value};

use crate::endpoint;
use crate::facts::{self, OperationFacts, Pages, ServiceFacts};
use crate::operation;
use crate::rate::Limits;
use crate::settings::{CollectError, Settings};
use crate::transport::{self, is_loopback};
use crate::wire::refusal::Refusal;
use crate::wire::{answer, request};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer larger than this is not evidence any more.
const MAX_ANSWER_BYTES: usize = 64 << 20;
const USER_AGENT: &str = concat!("launchpath/", env!("CARGO_PKG_VERSION"));

/// A connection to one account in one Region.
#[derive(Debug)]
pub(crate) struct Client {
    config: SdkConfig,
    http: SharedHttpClient,
    identity_cache: SharedIdentityCache,
    identity: SharedIdentityResolver,
    region: String,
    endpoint_url: Option<String>,
    retry: RetryConfig,
    call_timeout: Duration,
    limits: Limits,
}

/// One request to send.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) region: &'a str,
    pub(crate) request: &'a Value,
    /// At most so many pages; the token stays in the answer when there are more.
    pub(crate) max_pages: usize,
    /// Stop after so many items of the first result member.
    pub(crate) max_items: usize,
}

/// An answer as it came, for callers that read more than a document.
#[derive(Debug, Clone)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) type_header: Option<String>,
    pub(crate) content_type: Option<String>,
    /// The Region that S3 names, also when it was asked in another.
    pub(crate) bucket_region: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Loads credentials and Region as the AWS CLI does, and makes sure that there are some.
    ///
    /// `arn_region` is the Region of the runtime's ARN, when it was given by ARN.
    pub(crate) async fn connect(settings: &Settings, arn_region: Option<&str>) -> Result<Self, CollectError> {
        if let (Some(flag), Some(arn)) = (settings.region.as_deref(), arn_region)
            && flag != arn
        {
            return Err(CollectError::RegionConflict { flag: flag.to_owned(), arn: arn.to_owned() });
        }
        let endpoint_url = settings.endpoint_url.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok());
        let http = transport::client(endpoint_url.as_deref())?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
        if let Ok(name) = AppName::new("launchpath") {
            loader = loader.app_name(name);
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(credentials) = &settings.credentials {
            loader = loader.credentials_provider(credentials.clone());
        }
        if let Some(region) = settings.region.as_deref().or(arn_region) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let region = config.region().ok_or(CollectError::NoRegion)?.to_string();
        let provider = config.credentials_provider().ok_or(CollectError::NoCredentials)?;
        provider.provide_credentials().await.map_err(CollectError::Credentials)?;
        let endpoint_url = endpoint_url.or_else(|| config.endpoint_url().map(str::to_owned));
        if let Some(url) = endpoint_url.as_deref().filter(|url| !is_http_url(url)) {
            return Err(CollectError::EndpointUrl(url.to_owned()));
        }
        // An emulator on this machine has no account-wide limits to respect.
        let limits =
            if endpoint_url.as_deref().is_some_and(is_loopback) { Limits::none() } else { Limits::of_aws() };
        Ok(Self {
            http,
            identity_cache: IdentityCache::lazy().build(),
            identity: SharedIdentityResolver::new(provider),
            region,
            endpoint_url,
            retry: config.retry_config().cloned().unwrap_or_else(RetryConfig::standard),
            call_timeout: settings.call_timeout,
            limits,
            config,
        })
    }

    /// The Region that is collected.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Sends a read-only call, all its pages included.
    ///
    /// INVARIANT: only operations of [`operation::READ`] leave this function.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Value, Refusal> {
        let facts = operation::find(ask.service, ask.operation)
            .and_then(|row| facts::operation(row.service, row.name));
        let Some((service, operation)) = facts else {
            return Err(Refusal::new("NotInTable", "collection does not send this operation", None));
        };
        let Some(pages) = &operation.pages else {
            return self.page(ask, service, operation, ask.request).await;
        };
        let mut request = ask.request.clone();
        let mut merged: Option<Value> = None;
        for _ in 0..ask.max_pages.max(1) {
            let page = match self.page(ask, service, operation, &request).await {
                Ok(page) => page,
                Err(refusal) => {
                    // What came before the refusal is evidence; its token says that it is not all.
                    return merged.map_or(Err(refusal), |merged| Ok(finish(merged, pages)));
                }
            };
            let token = page.get(&pages.output).and_then(Value::as_str).map(str::to_owned);
            let repeated =
                token.is_some() && token.as_deref() == request.get(&pages.input).and_then(Value::as_str);
            merged = Some(match merged {
                None => page,
                Some(merged) => merge(merged, page, pages),
            });
            let items = merged.as_ref().map_or(0, |merged| count(merged, pages));
            match token.filter(|token| !token.is_empty() && !repeated) {
                Some(token) if items < ask.max_items => request[&pages.input] = token.into(),
                _ => break,
            }
        }
        Ok(finish(merged.unwrap_or_default(), pages))
    }

    /// Sends the one call that is not read-only and returns its answer, whatever its status.
    pub(crate) async fn invoke(
        &self,
        request: &Value,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<RawAnswer, Refusal> {
        let row = operation::INVOKE;
        let (service, operation) = facts::operation(row.service, row.name)
            .ok_or_else(|| Refusal::new("NotInTable", "no wire facts", None))?;
        let endpoint = self.endpoint(row.service, service, &self.region, None);
        let http = request::build(service, (row.name, operation), &endpoint, request, Some(payload))
            .map_err(|error| unsendable(&error))?;
        // A retried invocation would be a second invocation.
        self.send(
            row.service,
            row.name,
            Some((service, &endpoint)),
            http,
            timeout,
            &RetryConfig::disabled(),
            raw,
        )
        .await
    }

    /// Asks for what an image or a code archive is fetched with; the answer as it came, whatever its status.
    ///
    /// INVARIANT: only operations of [`operation::IMAGE`] leave this function.
    pub(crate) async fn image(
        &self,
        service: &'static str,
        name: &'static str,
        region: &str,
        request: &Value,
    ) -> Result<RawAnswer, Refusal> {
        let row = operation::find_image(service, name);
        let Some((facts, operation)) = row.and_then(|row| facts::operation(row.service, row.name)) else {
            return Err(Refusal::new("NotInTable", "nothing is fetched with this operation", None));
        };
        let bucket = request.get("Bucket").and_then(Value::as_str);
        let endpoint = self.endpoint(service, facts, region, bucket);
        let http = request::build(facts, (name, operation), &endpoint, request, None)
            .map_err(|error| unsendable(&error))?;
        self.limits.turn(service).await;
        let signing = Some((facts, &endpoint));
        self.send(service, name, signing, http, self.call_timeout, &self.retry, raw).await
    }

    /// Fetches a presigned URL, which needs and gets no signature of ours.
    pub(crate) async fn fetch(&self, url: &str) -> Result<RawAnswer, Refusal> {
        let http = HttpRequest::get(url).map_err(|error| unsendable(&error))?;
        self.send("launchpath", "fetch", None, http, self.call_timeout, &self.retry, raw).await
    }

    async fn page(
        &self,
        ask: &Ask<'_>,
        service: &'static ServiceFacts,
        operation: &'static OperationFacts,
        request: &Value,
    ) -> Result<Value, Refusal> {
        let mut region = ask.region.to_owned();
        for redirected in [false, true] {
            let bucket = request.get("Bucket").and_then(Value::as_str);
            let endpoint = self.endpoint(ask.service, service, &region, bucket);
            let http = request::build(service, (ask.operation, operation), &endpoint, request, None)
                .map_err(|error| unsendable(&error))?;
            self.limits.turn(ask.service).await;
            let read = move |response: &HttpResponse| answer::read(service, operation, response);
            let signing = Some((service, &endpoint));
            let sent =
                self.send(ask.service, ask.operation, signing, http, self.call_timeout, &self.retry, read);
            match sent.await {
                // A bucket of another Region says which.
                Err(refusal) if !redirected && refusal.bucket_region.is_some() => {
                    region = refusal.bucket_region.unwrap_or_default();
                }
                answer => return answer,
            }
        }
        Err(Refusal::new("PermanentRedirect", "the bucket moves from Region to Region", None))
    }

    fn endpoint(
        &self,
        name: &str,
        facts: &ServiceFacts,
        region: &str,
        bucket: Option<&str>,
    ) -> endpoint::Endpoint {
        let own = self.config.service_config().and_then(|config| {
            let key = ServiceConfigKey::builder()
                .service_id(&facts.id)
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .ok()?;
            config.load_config(key)
        });
        let custom = self.endpoint_url.clone().or(own);
        endpoint::resolve(name, facts, region, bucket, custom.as_deref())
    }

    #[expect(clippy::too_many_arguments, reason = "one private funnel for three kinds of request")]
    async fn send<T: std::fmt::Debug + Send + Sync + 'static>(
        &self,
        service: &'static str,
        operation: &'static str,
        signing: Option<(&ServiceFacts, &endpoint::Endpoint)>,
        mut http: HttpRequest,
        timeout: Duration,
        retry: &RetryConfig,
        read: impl Fn(&HttpResponse) -> Result<T, Refusal> + Send + Sync + 'static,
    ) -> Result<T, Refusal> {
        http.headers_mut().insert("user-agent", USER_AGENT);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .operation_timeout(timeout)
            .build();
        let builder = Operation::builder()
            .service_name(service)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .endpoint_url(authority(http.uri()))
            .timeout_config(timeouts)
            .standard_retry(retry)
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default());
        let builder = match signing {
            None => builder.no_auth(),
            Some((facts, endpoint)) => builder.runtime_plugin(self.signer(facts, endpoint)),
        };
        let operation = builder
            .serializer(move |request: Once| Ok(request.0))
            .deserializer(move |response| read(response).map_err(OrchestratorError::operation))
            .build();
        operation.invoke(Once(http)).await.map_err(|error| failure(&error))
    }

    fn signer(&self, facts: &ServiceFacts, endpoint: &endpoint::Endpoint) -> StaticRuntimePlugin {
        let mut signing = SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(endpoint.signing_region.clone()))),
            name: Some(SigningName::from(facts.signing.clone())),
            ..SigV4OperationSigningConfig::default()
        };
        // AWS: S3 signs the path as sent and the body's checksum,
        // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
        if facts.signing == "s3" {
            signing.signing_options.double_uri_encode = false;
            signing.signing_options.normalize_uri_path = false;
            signing.signing_options.content_sha256_header = true;
        }
        let mut layer = Layer::new("launchpath signing");
        layer.store_put(signing);
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        let components = RuntimeComponentsBuilder::new("launchpath signing")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
            .with_identity_cache(Some(self.identity_cache.clone()))
            .with_identity_resolver(SCHEME_ID, self.identity.clone());
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

/// The orchestrator wants an input it can print; a request prints its headers, so this one does not.
struct Once(HttpRequest);

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("request")
    }
}

/// Scheme and host: the orchestrator puts them before the request's own path.
fn authority(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    &url[..end]
}

fn raw(response: &HttpResponse) -> Result<RawAnswer, Refusal> {
    let header = |name| response.headers().get(name).map(str::to_owned);
    let body = response.body().bytes().unwrap_or_default();
    if body.len() > MAX_ANSWER_BYTES {
        return Err(Refusal::new(
            "AnswerTooLarge",
            "the answer is too large",
            Some(response.status().as_u16()),
        ));
    }
    Ok(RawAnswer {
        status: response.status().as_u16(),
        type_header: header("x-amzn-errortype"),
        content_type: header("content-type"),
        bucket_region: header("x-amz-bucket-region"),
        body: body.to_vec(),
    })
}

fn unsendable(error: &dyn std::error::Error) -> Refusal {
    Refusal::new("UnsendableRequest", &error.to_string(), None)
}

fn failure(error: &SdkError<Refusal, HttpResponse>) -> Refusal {
    if let SdkError::ServiceError(service) = error {
        return service.err().clone();
    }
    let mut message = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&error.to_string());
        cause = error.source();
    }
    let code = match error {
        SdkError::TimeoutError(_) => "TimedOut",
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => "TimedOut",
        SdkError::ResponseError(_) => "UnreadableAnswer",
        _ => "ConnectionFailed",
    };
    Refusal::new(code, &message, None)
}

/// Appends the next page's results and takes over its token.
fn merge(mut merged: Value, mut page: Value, pages: &Pages) -> Value {
    let Some(into) = merged.as_object_mut() else { return page };
    for name in &pages.results {
        let Some(Value::Array(more)) = page.get_mut(name).map(Value::take) else { continue };
        match into.get_mut(name) {
            Some(Value::Array(items)) => items.extend(more),
            _ => {
                into.insert(name.clone(), Value::Array(more));
            }
        }
    }
    for name in [Some(&pages.output), pages.more.as_ref()].into_iter().flatten() {
        match page.get_mut(name).map(Value::take) {
            Some(value) => into.insert(name.clone(), value),
            None => into.remove(name),
        };
    }
    merged
}

/// What the AWS CLI prints after the last page: no token, unless there is more to ask for.
fn finish(mut merged: Value, pages: &Pages) -> Value {
    if let Some(document) = merged.as_object_mut() {
        let token = document.get(&pages.output).and_then(Value::as_str).unwrap_or_default();
        let complete = token.is_empty();
        drop_members(
            document,
            complete.then_some(&pages.output).into_iter().chain(&pages.more).chain(&pages.limit),
        );
    }
    merged
}

fn drop_members<'a>(document: &mut Map<String, Value>, names: impl Iterator<Item = &'a String>) {
    for name in names {
        document.remove(name);
    }
}

fn count(document: &Value, pages: &Pages) -> usize {
    let first = pages.results.first().and_then(|name| document.get(name));
    first.and_then(Value::as_array).map_or(0, Vec::len)
}

fn is_http_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pages() -> Pages {
        Pages {
            input: "Marker".to_owned(),
            output: "Marker".to_owned(),
            results: vec!["PolicyNames".to_owned()],
            more: Some("IsTruncated".to_owned()),
            limit: None,
        }
    }

    #[test]
    fn pages_become_one_answer_without_a_token() {
        let first = json!({"PolicyNames": ["a"], "IsTruncated": true, "Marker": "m"});
        let second = json!({"PolicyNames": ["b"], "IsTruncated": false});
        assert_eq!(finish(merge(first, second, &pages()), &pages()), json!({"PolicyNames": ["a", "b"]}));
    }

    #[test]
    fn an_unfinished_answer_keeps_its_token() {
        let first = json!({"PolicyNames": ["a"], "IsTruncated": true, "Marker": "m"});
        assert_eq!(finish(first, &pages()), json!({"PolicyNames": ["a"], "Marker": "m"}));
    }

    #[test]
    fn endpoint_urls_are_checked() {
        assert!(is_http_url("http://127.0.0.1:5000"));
        assert!(!is_http_url("127.0.0.1:5000"));
        assert!(!is_http_url("https://"));
    }
}
