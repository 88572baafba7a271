//! Which image a record speaks of: the deployed one, by its digest, or one that somebody offers as it.

use launchpath_model::aws::image::ImageUri;
use launchpath_model::world::{ImageIdentity, Inspection, Rehearsal};

use crate::case::Case;

/// How an image of a record relates to the deployed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The very image: the same digest of manifest, config or index.
    ThisImage,
    /// Offered as it, without the same digest.
    AsOffered,
}

/// The rehearsals of the deployed image; where there is none, those of images that are offered as it.
pub(crate) fn rehearsals<'a>(case: &Case<'a>) -> Vec<(&'a Rehearsal, Origin)> {
    nearest(case, &case.world.rehearsals, |rehearsal| &rehearsal.identity)
}

/// The inspections of the deployed image; where there is none, those of images that are offered as it.
pub(crate) fn inspections<'a>(case: &Case<'a>) -> Vec<(&'a Inspection, Origin)> {
    nearest(case, &case.world.inspections, |inspection| &inspection.identity)
}

fn nearest<'a, T>(
    case: &Case,
    records: &'a [T],
    identity: impl Fn(&'a T) -> &'a ImageIdentity,
) -> Vec<(&'a T, Origin)> {
    if records.is_empty() {
        return Vec::new();
    }
    let names = names_of_the_image(case);
    let mut all: Vec<(&T, Origin)> =
        records.iter().filter_map(|r| Some((r, origin(case, &names, identity(r))?))).collect();
    if all.iter().any(|(_, origin)| *origin == Origin::ThisImage) {
        all.retain(|(_, origin)| *origin == Origin::ThisImage);
    }
    all
}

/// `None` when the record names another image of a registry.
fn origin(case: &Case, names: &[String], identity: &ImageIdentity) -> Option<Origin> {
    let named = identity.image.as_deref().and_then(|image| image.parse::<ImageUri>().ok());
    let in_address = named.as_ref().and_then(|uri| uri.digest.as_ref());
    let digests = [
        identity.digest.as_ref(),
        identity.config_digest.as_ref(),
        identity.index_digest.as_ref(),
        in_address,
    ];
    if digests.into_iter().flatten().any(|digest| names.contains(digest)) {
        return Some(Origin::ThisImage);
    }
    (!named.is_some_and(|named| is_another(case, &named))).then_some(Origin::AsOffered)
}

/// The digests by which a record may name the deployed image: of its manifest, of its config, of the images in its index.
fn names_of_the_image(case: &Case) -> Vec<String> {
    let image = case.image();
    let Some(image) = image.value() else {
        return case.image_uri().and_then(|uri| uri.digest).into_iter().collect();
    };
    let mut names = vec![image.image_digest.clone()];
    let key = (image.repository_name.clone(), image.image_digest.clone());
    if let Some(row) = case.world.manifests.seen(&key) {
        let parts = row.value.config.iter().chain(row.value.manifests.iter().flatten());
        names.extend(parts.filter_map(|part| part.digest.clone()));
    }
    names
}

/// Whether an address names an image in a registry that is not the runtime's. A local name may be any image.
fn is_another(case: &Case, named: &ImageUri) -> bool {
    let whose = |uri: &ImageUri| (uri.registry.clone(), uri.repository.clone(), uri.selector().to_owned());
    named.ecr().is_some() && case.image_uri().is_some_and(|deployed| whose(&deployed) != whose(named))
}
