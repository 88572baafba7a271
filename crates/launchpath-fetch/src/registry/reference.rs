//! The address of an image in a registry: `registry/repository:tag` or `registry/repository@digest`.

use std::fmt;

use launchpath_image::digest::Digest;

/// The address of an image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host, with its port where one is given.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag; `latest` when neither tag nor digest is given.
    pub tag: Option<String>,
    /// The digest, which wins over the tag.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Reads an address whose first part is a host: it has a dot or a port, or is `localhost`. Names without a host are left to
    /// container engines: which registry is meant by them is a matter of configuration.
    pub fn read(text: &str) -> Result<Self, String> {
        let (registry, rest) = text.split_once('/').ok_or("it has no registry host")?;
        if !is_host(registry) {
            return Err(format!(
                "`{registry}` is no registry host; expected one with a dot or a port, or localhost"
            ));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|error| error.to_string())?))
            }
            None => (rest, None),
        };
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !is_repository(repository) {
            return Err(format!(
                "`{repository}` is no repository; expected lower-case letters, digits and . _ - /"
            ));
        }
        if let Some(tag) = tag.as_deref().filter(|tag| !is_tag(tag)) {
            return Err(format!("`{tag}` is no tag; expected letters, digits and . _ -, at most 128"));
        }
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        // Docker Hub's short names, as every tool reads them.
        let hub = registry == "docker.io" || registry == "index.docker.io";
        let official = hub && !repository.contains('/');
        let repository = if official { format!("library/{repository}") } else { repository.to_owned() };
        let registry = if hub { "docker.io" } else { registry };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }

    /// Whether the first part of `text` is a registry's host.
    pub(crate) fn has_host(text: &str) -> bool {
        text.split_once('/').is_some_and(|(first, _)| is_host(first))
    }

    /// What selects the image in its repository.
    pub fn selector(&self) -> &str {
        self.digest.as_ref().map_or_else(|| self.tag.as_deref().unwrap_or("latest"), Digest::as_str)
    }

    /// The host that answers for the registry.
    pub(crate) fn host(&self) -> &str {
        if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let telling = name.contains('.') || port.is_some() || name == "localhost" || text.starts_with('[');
    !name.is_empty() && named && numbered && telling
}

fn is_repository(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    text.len() <= 255
        && text.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(letter)
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
}

fn is_tag(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(letter) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, registry, repository, selector) in [
            (
                "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/agent:v1",
                "111122223333.dkr.ecr.us-east-1.amazonaws.com",
                "team/agent",
                "v1",
            ),
            ("localhost:5000/agent", "localhost:5000", "agent", "latest"),
            ("[::1]:5000/agent", "[::1]:5000", "agent", "latest"),
            ("docker.io/python:3.12", "docker.io", "library/python", "3.12"),
            (&format!("registry.test/a@{digest}"), "registry.test", "a", &digest),
            (&format!("registry.test/a:v1@{digest}"), "registry.test", "a", &digest),
        ] {
            let read = Reference::read(text).unwrap();
            assert_eq!(
                (read.registry.as_str(), read.repository.as_str(), read.selector()),
                (registry, repository, selector)
            );
        }
        assert_eq!(Reference::read("localhost:5000/a").unwrap().to_string(), "localhost:5000/a:latest");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "agent",
            "agent:v1",
            "team/agent:v1",
            "registry.test/",
            "registry.test/../x",
            "registry.test/A:v1",
            "registry.test/a:v 1",
            "registry.test/a@sha256:00",
            "registry.test:port/a",
            "registry.test/a?b",
            "user@registry.test/a",
            "https://registry.test/a",
            "registry.test\r\n/a",
        ] {
            assert!(Reference::read(text).is_err(), "{text}");
        }
    }
}
