//! From documents to a world: a bundle, or loose AWS CLI answers.
//!
//! Everything is read and checked before the world is handed out; an error means that nothing was taken over.

use std::collections::BTreeMap;

use launchpath_model::World;
use launchpath_model::evidence::Evidence;
use launchpath_model::ids::{AccountId, Region};
use serde_json::Value;

use crate::bundle::{BUNDLE_FILE, Bundle, Call};
use crate::documents::{
    Documents, MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_TOTAL_BYTES, MemoryDocuments, ReadError, ZipDocuments,
    check_name,
};
use crate::error::{IntakeError, Problem};
use crate::json::{MAX_VALUES, Place, count_values, parse};
use crate::lower::{self, Recorded};
use crate::{loose, outcome};

/// Reads every document and lowers it into a world.
///
/// Documents with a `bundle.json` at their root (or in their only folder) are a bundle; else every document is taken
/// for a loose answer of the AWS CLI and recognised by its members. See [`crate::bundle`].
///
/// # Errors
/// The first thing that is malformed, refused, unreadable or missing.
pub fn open(documents: &dyn Documents) -> Result<World, IntakeError> {
    let mut reader = Reader::new(documents)?;
    if let Some(root) = reader.bundle_root() {
        let name = format!("{root}{BUNDLE_FILE}");
        let bundle = Bundle::from_json(&name, &reader.read(&name)?)?;
        return lower_bundle(&mut reader, &root, &name, bundle);
    }
    let sorted = loose::read_all(&mut reader)?;
    if let Some((name, value)) = sorted.bundle {
        let root = name.rfind('/').map_or("", |end| &name[..=end]);
        return lower_bundle(&mut reader, root, &name, Bundle::from_value(&name, value)?);
    }
    loose::world(sorted)
}

/// Reads a bundle and takes every answer that lies in a file of its own into it, so that it can be kept as one document.
///
/// # Errors
/// As [`open()`]; loose answers of the AWS CLI are no bundle and have no requests that could be kept.
pub fn read_bundle(documents: &dyn Documents) -> Result<Bundle, IntakeError> {
    let mut reader = Reader::new(documents)?;
    let names: Vec<String> = reader.names.keys().cloned().collect();
    let found = reader.bundle_root().map(|root| (format!("{root}{BUNDLE_FILE}"), root));
    let (name, root) = match (found, names.as_slice()) {
        (Some(found), _) => found,
        (None, [only]) => (only.clone(), String::new()),
        (None, _) => {
            let found = format!("{} loose documents", names.len());
            return Err(IntakeError::new(Problem::Refused, "a bundle", found));
        }
    };
    let mut bundle = Bundle::from_json(&name, &reader.read(&name)?)?;
    for (index, call) in bundle.calls.iter_mut().enumerate() {
        let Some(file) = call.file.take() else { continue };
        let place = Place::file(&name).member("calls").index(index).member("file");
        let path = path_of(&reader, &root, &name, &file, &place)?;
        call.response = Some(parse(&path, &reader.read(&path)?)?);
    }
    Ok(bundle)
}

/// Reads a bundle as the JSON it is, every answer that lies in a file of its own put inside: what digests of it are about.
///
/// # Errors
/// As [`read_bundle`].
pub fn read_document(documents: &dyn Documents) -> Result<Value, IntakeError> {
    // Whatever is wrong with it as a bundle is said before anything else.
    read_bundle(documents)?;
    let mut reader = Reader::new(documents)?;
    let root = reader.bundle_root();
    let only = reader.names.keys().next().cloned().unwrap_or_default();
    let name = root.as_ref().map_or(only, |root| format!("{root}{BUNDLE_FILE}"));
    let mut document = parse(&name, &reader.read(&name)?)?;
    for call in document.get_mut("calls").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(call) = call.as_object_mut() else { continue };
        let Some(file) = call.get("file").and_then(Value::as_str).map(str::to_owned) else { continue };
        let path = path_of(&reader, root.as_deref().unwrap_or_default(), &name, &file, &Place::file(&name))?;
        call.shift_remove("file");
        call.insert("response".to_owned(), parse(&path, &reader.read(&path)?)?);
    }
    Ok(document)
}

/// The document in which an answer lies.
fn path_of(
    reader: &Reader<'_>,
    root: &str,
    name: &str,
    file: &str,
    place: &Place,
) -> Result<String, IntakeError> {
    let path = check_name(file).map_err(|error| error.in_file(name).at(place.path.clone()))?;
    let path = format!("{root}{path}");
    if reader.names.contains_key(&path) {
        return Ok(path);
    }
    Err(IntakeError::new(Problem::Unreadable, "a file of this bundle", format!("{path:?}, which is missing"))
        .in_file(name)
        .at(place.path.clone())
        .advise("open the bundle's directory or archive, not its bundle.json alone"))
}

/// Reads one file: a bundle, one loose AWS CLI answer, or a ZIP archive of either. `name` is used in errors and as the
/// source of the evidence.
///
/// # Errors
/// As [`open()`].
pub fn open_bytes(name: &str, bytes: &[u8]) -> Result<World, IntakeError> {
    if ZipDocuments::recognises(bytes) {
        let documents = ZipDocuments::new(bytes).map_err(|error| error.in_file(name))?;
        return open(&documents);
    }
    let limit = MAX_DOCUMENT_BYTES;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit }.of(name));
    }
    // The name may be any path of the caller's; only its last part matters here.
    let name = name.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or("input");
    let printable: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = check_name(&printable).unwrap_or_else(|_| "input".to_owned());
    open(&MemoryDocuments::from_iter([(name, bytes)]))
}

/// Lowers a bundle whose answers are all inline, such as one that was just collected.
///
/// # Errors
/// As [`open()`].
pub fn open_bundle(bundle: &Bundle) -> Result<World, IntakeError> {
    let mut recorded = Vec::with_capacity(bundle.calls.len());
    let calls = Place::file(BUNDLE_FILE).member("calls");
    for (index, call) in bundle.calls.iter().enumerate() {
        let place = calls.index(index);
        if let Some(file) = &call.file {
            return Err(place.member("file").error("an answer inside the bundle", format!("{file:?}")));
        }
        let response = call.response.clone().unwrap_or(Value::Null);
        recorded.push(Recorded::new(evidence(bundle, call), response, place.member("response")));
    }
    let mut world = header(bundle);
    lower::all(&mut world, recorded)?;
    Ok(world)
}

/// Lowers the bundle read from the file `name` in the folder `root` (empty, or ending in `/`).
fn lower_bundle(
    reader: &mut Reader<'_>,
    root: &str,
    name: &str,
    mut bundle: Bundle,
) -> Result<World, IntakeError> {
    let calls = std::mem::take(&mut bundle.calls);
    let mut recorded = Vec::with_capacity(calls.len());
    let all = Place::file(name).member("calls");
    for (index, call) in calls.into_iter().enumerate() {
        let place = all.index(index);
        let evidence = evidence(&bundle, &call);
        let (response, place) = match &call.file {
            None => (call.response.unwrap_or(Value::Null), place.member("response")),
            Some(path) => {
                let place = place.member("file");
                let path = path_of(reader, root, name, path, &place)?;
                (parse(&path, &reader.read(&path)?)?, Place::file(&path))
            }
        };
        recorded.push(Recorded::new(evidence, response, place));
    }
    let mut world = header(&bundle);
    lower::all(&mut world, recorded)?;
    Ok(world)
}

fn header(bundle: &Bundle) -> World {
    World {
        collected_at: bundle.collected_at,
        account: account(bundle),
        region: region(bundle),
        partition: bundle.partition.clone().filter(|text| !text.is_empty()),
        subject: bundle.subject.clone(),
        ..World::default()
    }
}

/// Collectors write an empty text where they do not know.
fn account(bundle: &Bundle) -> Option<AccountId> {
    bundle.account.clone().filter(|account| !account.as_str().is_empty())
}

fn region(bundle: &Bundle) -> Option<Region> {
    bundle.region.clone().filter(|region| !region.as_str().is_empty())
}

/// Services without a Region of their own: the bundle's Region says nothing about their calls.
const GLOBAL_SERVICES: &[&str] = &["iam", "route53", "organizations", "launchpath"];

fn evidence(bundle: &Bundle, call: &Call) -> Evidence {
    // The CLI calls the plain S3 API `s3api`; both names are in use.
    let service = if call.service == "s3api" { "s3" } else { &call.service };
    let inherited = region(bundle).filter(|_| !GLOBAL_SERVICES.contains(&service));
    Evidence {
        id: call.id.clone(),
        service: service.to_owned(),
        operation: call.operation.clone(),
        region: call.region.clone().filter(|region| !region.as_str().is_empty()).or(inherited),
        account: call.account.clone().or_else(|| account(bundle)),
        request: call.request.clone(),
        at: call.at,
        outcome: call.outcome,
        error: call.error.clone(),
        complete: true,
        file: call.file.clone(),
    }
}

/// The documents with their names checked and their bytes counted.
pub(crate) struct Reader<'a> {
    documents: &'a dyn Documents,
    /// Checked name to the name that the source uses.
    pub(crate) names: BTreeMap<String, String>,
    spent: u64,
    /// How many JSON values the documents hold so far: small files add up.
    values: usize,
}

impl<'a> Reader<'a> {
    fn new(documents: &'a dyn Documents) -> Result<Self, IntakeError> {
        let listed = documents.list()?;
        if listed.len() > MAX_DOCUMENTS {
            return Err(IntakeError::new(
                Problem::Refused,
                format!("at most {MAX_DOCUMENTS} documents"),
                listed.len().to_string(),
            ));
        }
        let mut names = BTreeMap::new();
        for name in listed {
            let checked = check_name(&name)?;
            if names.insert(checked.clone(), name).is_some() {
                return Err(IntakeError::new(Problem::Refused, "each name once", "a name that occurs twice")
                    .in_file(&checked));
            }
        }
        Ok(Self { documents, names, spent: 0, values: 0 })
    }

    /// The folder (empty, or ending in `/`) with the bundle's file: the root, or the only folder there is.
    fn bundle_root(&self) -> Option<String> {
        if self.names.contains_key(BUNDLE_FILE) {
            return Some(String::new());
        }
        let mut folders =
            self.names.keys().filter(|name| !loose::is_litter(name)).map(|name| name.split_once('/'));
        let (folder, _) = folders.next()??;
        if !folders.all(|other| other.is_some_and(|(other, _)| other == folder)) {
            return None;
        }
        let root = format!("{folder}/");
        self.names.contains_key(&format!("{root}{BUNDLE_FILE}")).then_some(root)
    }

    /// The bytes of a document by its checked name.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, IntakeError> {
        self.read_unless_too_large(name)?
            .ok_or_else(|| ReadError::TooLarge { limit: MAX_DOCUMENT_BYTES }.of(name))
    }

    /// As [`Self::read`]; `None` when the document is larger than the limit.
    pub(crate) fn read_unless_too_large(&mut self, name: &str) -> Result<Option<Vec<u8>>, IntakeError> {
        let source = self.names.get(name).map_or(name, String::as_str);
        let bytes = match self.documents.read(source, MAX_DOCUMENT_BYTES) {
            Ok(bytes) => bytes,
            Err(ReadError::TooLarge { .. }) => return Ok(None),
            Err(error) => return Err(error.of(name)),
        };
        self.spent = self.spent.saturating_add(bytes.len() as u64);
        if self.spent > MAX_TOTAL_BYTES {
            return Err(IntakeError::new(
                Problem::Refused,
                format!("at most {MAX_TOTAL_BYTES} bytes in all"),
                "more",
            )
            .in_file(name));
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        if text.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte)) {
            self.values = self.values.saturating_add(count_values(text));
        }
        if self.values > MAX_VALUES {
            return Err(IntakeError::new(
                Problem::Refused,
                format!("at most {MAX_VALUES} values in all"),
                "more",
            )
            .in_file(name));
        }
        Ok(Some(bytes))
    }
}

/// The outcome that a saved error text tells.
pub(crate) fn outcome_of_text(code: &str) -> launchpath_model::Outcome {
    outcome::outcome_of(code, None)
}
