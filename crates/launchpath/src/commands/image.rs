//! An image by its argument, for the commands that take one: where it is, and with which credentials it is fetched.

use std::io::Seek as _;

use anyhow::Context;
use launchpath_aws::{CodeObject, ImageError, Settings, download_code, registry_login};
use launchpath_fetch::{Artifact, Credentials, FetchError, Locator, Options, Secret};
use launchpath_image::document::Wished;
use launchpath_model::aws::image::ImageUri;

use crate::cli::ImageArguments;
use crate::failure::Failure;
use crate::output;

/// Which image, and how it is fetched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// As given.
    pub(crate) image: String,
    /// The only platform that will do.
    pub(crate) platform: Option<String>,
    /// The AWS CLI's profile.
    pub(crate) profile: Option<String>,
    /// The Region of code in S3.
    pub(crate) region: Option<String>,
    /// Replaces the address of AWS services.
    pub(crate) endpoint_url: Option<String>,
}

impl From<&ImageArguments> for Source {
    fn from(arguments: &ImageArguments) -> Self {
        Self {
            image: arguments.image.clone(),
            platform: arguments.platform.clone(),
            profile: arguments.profile.clone(),
            region: arguments.region.clone(),
            endpoint_url: arguments.endpoint_url.clone(),
        }
    }
}

/// Opens an image. Documents are read; layers are not.
pub(crate) fn open(source: &Source) -> Result<Artifact, Failure> {
    let platform = source.platform.as_deref().map(str::parse::<Wished>).transpose();
    let platform = platform.map_err(|text| Failure::usage(anyhow::anyhow!(text)))?;
    let mut options = Options { platform, ..Options::of_this_machine() };
    if let Some(object) = code_object(&source.image)? {
        return code(&object, source);
    }
    if let Locator::Registry(reference) = Locator::read(&source.image)? {
        options.credentials = ecr_login(&reference.to_string(), source);
    }
    Ok(launchpath_fetch::open(&source.image, &options)?)
}

/// The object of `s3://BUCKET/KEY` or `s3://BUCKET/KEY?versionId=VERSION`.
fn code_object(image: &str) -> Result<Option<CodeObject>, Failure> {
    let Some(rest) = image.strip_prefix("s3://") else { return Ok(None) };
    let (path, version) = match rest.rsplit_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned())),
        None => (rest, None),
    };
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(Some(CodeObject { bucket: bucket.to_owned(), key: key.to_owned(), version }))
        }
        _ => Err(Failure::usage(anyhow::anyhow!("`{image}` is no object; expected s3://BUCKET/KEY"))),
    }
}

fn code(object: &CodeObject, source: &Source) -> Result<Artifact, Failure> {
    let scratch = |error: std::io::Error| Failure::from(FetchError::Scratch(error));
    let mut file = tempfile::tempfile().map_err(scratch)?;
    blocking(download_code(&settings(source), object, &mut file))?.map_err(Failure::from)?;
    file.rewind().map_err(scratch)?;
    Ok(launchpath_fetch::code_zip(&source.image, file)?)
}

/// A login when the registry is a private one of ECR. Without one, what `docker login` left may still do.
fn ecr_login(reference: &str, source: &Source) -> Option<Credentials> {
    let region = reference.parse::<ImageUri>().ok()?.ecr()?.region;
    let login = blocking(registry_login(&settings(source), &region)).ok()?;
    match login {
        Ok(login) => Some(Credentials { user: login.user, secret: Secret::Password(login.password) }),
        Err(error) => {
            output::remark(&format!("no login for ECR from AWS ({error}); trying what `docker login` left"));
            None
        }
    }
}

/// How AWS is asked for it.
pub(crate) fn settings(source: &Source) -> Settings {
    Settings {
        profile: source.profile.clone(),
        region: source.region.clone(),
        endpoint_url: source.endpoint_url.clone(),
        ..Settings::default()
    }
}

fn blocking<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime")
        .map_err(Failure::environment)?;
    Ok(runtime.block_on(work))
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let advice = error.advice();
        let failure = match &error {
            FetchError::Argument { .. }
            | FetchError::Read { .. }
            | FetchError::Missing { .. }
            | FetchError::Select { .. } => Self::usage(error),
            FetchError::Denied { .. }
            | FetchError::Registry { .. }
            | FetchError::Engine { .. }
            | FetchError::Scratch(_) => Self::environment(error),
            _ => Self::malformed(error),
        };
        match advice {
            Some(advice) => failure.advise(advice),
            None => failure,
        }
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Connect(error) => error.into(),
            error => Self::environment(error),
        }
    }
}
