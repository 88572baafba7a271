//! The image's user: `User` of its configuration, looked up in the password and group files of the image itself.
//!
//! The rules are those of the container engines: a number need not be listed, a name must be; without a group the user's own
//! group applies, and the further groups are those that list the name.

use std::io::Read as _;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::subject::StartFailure;

/// Larger password files are cut: no image has one, and a hostile one shall not fill our memory.
const LARGEST_FILE: u64 = 4 << 20;

/// Who the process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary groups.
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Finds `user` in the image under `root`.
pub(super) fn identify(root: &OwnedFd, user: Option<&str>) -> Result<Identity, StartFailure> {
    resolve(user.unwrap_or(""), &read(root, "etc/passwd"), &read(root, "etc/group"))
}

/// A file of the image as text; empty when it is not there or not a plain file.
fn read(root: &OwnedFd, path: &str) -> String {
    // A queue or device in its place must not hold us up: not blocking, and read only when it is a plain file.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let Ok(file) = rustix::fs::openat2(
        root,
        path,
        flags,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    ) else {
        return String::new();
    };
    let file = std::fs::File::from(file);
    let mut bytes = Vec::new();
    if file.metadata().is_ok_and(|metadata| metadata.is_file())
        && file.take(LARGEST_FILE).read_to_end(&mut bytes).is_ok()
    {
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        String::new()
    }
}

fn resolve(spec: &str, passwd: &str, groups: &str) -> Result<Identity, StartFailure> {
    let (user, group) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let entry =
        passwd.lines().find_map(|line| Entry::parse(line).filter(|entry| entry.name == user)).or_else(|| {
            let uid: u32 = user.parse().ok()?;
            passwd.lines().find_map(|line| Entry::parse(line).filter(|entry| entry.uid == uid))
        });
    let (uid, own_group, home, name) = match (entry, user.parse::<u32>()) {
        (Some(entry), _) => (entry.uid, entry.gid, entry.home, Some(entry.name)),
        (None, Ok(uid)) => (uid, 0, "/", None),
        (None, Err(_)) => return Err(StartFailure::UnknownUser(user.to_owned())),
    };
    let (gid, further) = match group {
        Some(group) => {
            let listed = groups
                .lines()
                .find_map(|line| group_line(line).filter(|(name, ..)| *name == group))
                .map(|(_, gid, _)| gid);
            match listed.or_else(|| group.parse().ok()) {
                Some(gid) => (gid, Vec::new()),
                None => return Err(StartFailure::UnknownUser(format!("group {group}"))),
            }
        }
        None => (own_group, name.map(|name| memberships(groups, name)).unwrap_or_default()),
    };
    let home = if home.is_empty() { "/" } else { home };
    Ok(Identity { uid, gid, groups: further, home: home.to_owned() })
}

struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Self { name, uid, gid, home: fields.nth(1).unwrap_or("") })
    }
}

/// Name, number and members.
fn group_line(line: &str) -> Option<(&str, u32, &str)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let gid = fields.nth(1)?.parse().ok()?;
    Some((name, gid, fields.next().unwrap_or("")))
}

/// Groups that list `name`. More than the kernel takes are left out.
fn memberships(groups: &str, name: &str) -> Vec<u32> {
    const MOST: usize = 256;
    let mut found: Vec<u32> = groups
        .lines()
        .filter_map(group_line)
        .filter(|(_, _, members)| members.split(',').any(|member| member.trim() == name))
        .map(|(_, gid, _)| gid)
        .take(MOST)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/opt/app:/bin/sh\nbroken\n7:x:70:70::/seven:\n";
    const GROUP: &str = "root:x:0:\napp:x:1001:\nvideo:x:44:other,app\nbroken\naudio:x:29:app\n";

    fn found(spec: &str) -> (u32, u32, Vec<u32>, String) {
        let identity = resolve(spec, PASSWD, GROUP).unwrap();
        (identity.uid, identity.gid, identity.groups, identity.home)
    }

    #[test]
    fn names_and_numbers_are_found_as_container_engines_find_them() {
        assert_eq!(found(""), (0, 0, vec![], "/root".to_owned()));
        assert_eq!(found("app"), (1000, 1001, vec![29, 44], "/opt/app".to_owned()));
        assert_eq!(found("1000"), (1000, 1001, vec![29, 44], "/opt/app".to_owned()));
        assert_eq!(found("app:video"), (1000, 44, vec![], "/opt/app".to_owned()));
        assert_eq!(found("4711:5"), (4711, 5, vec![], "/".to_owned()));
        assert_eq!(found("4711"), (4711, 0, vec![], "/".to_owned()));
        assert_eq!(found("7").0, 70, "a name of digits goes before the number");
    }

    #[test]
    fn a_name_that_is_not_listed_is_unknown() {
        assert_eq!(resolve("agent", PASSWD, GROUP), Err(StartFailure::UnknownUser("agent".to_owned())));
        assert_eq!(
            resolve("app:agents", PASSWD, GROUP),
            Err(StartFailure::UnknownUser("group agents".to_owned()))
        );
        assert!(resolve("app", "", "").is_err());
    }
}
