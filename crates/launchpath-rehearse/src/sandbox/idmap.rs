//! User and group ids: those of the image, and what they are on this machine.
//!
//! Image root is never root here. As root, the image's ids are laid on a range that nobody uses, and the image's files are shown
//! through a mount that translates their owners. As an ordinary user, `newuidmap` gives the user's own range where the system
//! has one; else the image's user alone is mapped, and nobody else exists inside.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// Every id that images use in practice.
const IDS: u32 = 65_536;

/// Where ranges begin that no user of a common system has: above what useradd, systemd and subordinate ids give out.
const FIRST_RANGE: u32 = 0x7000_0000;

/// How many ranges there are; rehearsals at the same time use different ones.
const RANGES: u32 = 0x0800;

/// `count` ids from `inside` on are `outside` and following on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    inside: u32,
    outside: u32,
    count: u32,
}

/// The ids of one sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdMap {
    users: Vec<Extent>,
    groups: Vec<Extent>,
    kind: Kind,
}

/// How the map gets to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Written by root.
    Privileged,
    /// Written by `newuidmap` and `newgidmap`.
    Subordinate,
    /// One user and one group, written by the user.
    Single,
}

impl IdMap {
    /// The map that this process may make, for an image whose process runs as `uid` and `gid`.
    pub(super) fn choose(number: u32, uid: u32, gid: u32) -> Self {
        let (own_uid, own_gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        if own_uid == 0 {
            let outside = FIRST_RANGE + (number % RANGES) * (2 * IDS);
            return Self { users: range(outside, uid), groups: range(outside, gid), kind: Kind::Privileged };
        }
        if let (Some(users), Some(groups)) =
            (subordinate("/etc/subuid", own_uid), subordinate("/etc/subgid", own_uid))
            && tool("newuidmap")
            && tool("newgidmap")
            && uid <= users.1
            && gid <= groups.1
        {
            let with_own = |own, (first, count)| {
                vec![
                    Extent { inside: 0, outside: own, count: 1 },
                    Extent { inside: 1, outside: first, count },
                ]
            };
            return Self {
                users: with_own(own_uid, users),
                groups: with_own(own_gid, groups),
                kind: Kind::Subordinate,
            };
        }
        Self::single(uid, gid)
    }

    /// Only the image's user exists.
    pub(super) fn single(uid: u32, gid: u32) -> Self {
        let only = |inside, outside| vec![Extent { inside, outside, count: 1 }];
        Self {
            users: only(uid, rustix::process::geteuid().as_raw()),
            groups: only(gid, rustix::process::getegid().as_raw()),
            kind: Kind::Single,
        }
    }

    /// Ids as they are on this machine: for where the file system of the image cannot show other owners. The process has no
    /// power even so; it is what a container engine does that is not told otherwise.
    pub(super) fn unchanged(uid: u32, gid: u32) -> Self {
        let extents = |own: u32| {
            let mut extents = vec![Extent { inside: 0, outside: 0, count: IDS }];
            if own >= IDS {
                extents.push(Extent { inside: own, outside: own, count: 1 });
            }
            extents
        };
        Self { users: extents(uid), groups: extents(gid), kind: Kind::Privileged }
    }

    /// Whether a group of the image exists in the sandbox.
    pub(super) fn has_group(&self, group: u32) -> bool {
        self.groups.iter().any(|extent| group >= extent.inside && group - extent.inside < extent.count)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Gives the map to the user namespace of `process`.
    pub(super) fn write(&self, process: u32) -> io::Result<()> {
        match self.kind {
            Kind::Privileged => {
                fs::write(format!("/proc/{process}/gid_map"), lines(&self.groups))?;
                fs::write(format!("/proc/{process}/uid_map"), lines(&self.users))
            }
            Kind::Single => {
                fs::write(format!("/proc/{process}/setgroups"), "deny")?;
                fs::write(format!("/proc/{process}/gid_map"), lines(&self.groups))?;
                fs::write(format!("/proc/{process}/uid_map"), lines(&self.users))
            }
            Kind::Subordinate => {
                run("newgidmap", process, &self.groups)?;
                run("newuidmap", process, &self.users)
            }
        }
    }
}

/// A range for every usual id, and one more id for a user far outside of it.
fn range(outside: u32, own: u32) -> Vec<Extent> {
    let mut extents = vec![Extent { inside: 0, outside, count: IDS }];
    if own >= IDS {
        extents.push(Extent { inside: own, outside: outside + IDS, count: 1 });
    }
    extents
}

fn lines(extents: &[Extent]) -> String {
    extents.iter().map(|extent| format!("{} {} {}\n", extent.inside, extent.outside, extent.count)).collect()
}

fn run(tool: &str, process: u32, extents: &[Extent]) -> io::Result<()> {
    let numbers = extents
        .iter()
        .flat_map(|extent| [extent.inside, extent.outside, extent.count])
        .map(|number| number.to_string());
    let output =
        Command::new(tool).arg(process.to_string()).args(numbers).env_remove("LD_PRELOAD").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{tool}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn tool(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// The first range of subordinate ids of user `uid`: where it begins and how many there are.
fn subordinate(file: &str, uid: u32) -> Option<(u32, u32)> {
    // The tools refuse a user without a name.
    let name = user_name(uid)?;
    parse_subordinate(&fs::read_to_string(Path::new(file)).ok()?, &uid.to_string(), &name)
}

fn parse_subordinate(text: &str, uid: &str, name: &str) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let who = fields.next()?;
        if who != uid && who != name {
            return None;
        }
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((first, count)).filter(|(_, count)| *count > 0)
    })
}

/// The name of a user of this machine.
fn user_name(uid: u32) -> Option<String> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_outside_of_the_range_get_one_of_their_own() {
        assert_eq!(lines(&range(FIRST_RANGE, 1000)), "0 1879048192 65536\n");
        assert_eq!(
            lines(&range(FIRST_RANGE, 1_000_650_000)),
            "0 1879048192 65536\n1000650000 1879113728 1\n"
        );
    }

    #[test]
    fn subordinate_ranges_are_found_by_name_and_number() {
        let text = "other:1:2\napp:100000:65536\n1001:165536:65536\n";
        assert_eq!(parse_subordinate(text, "1000", "app"), Some((100_000, 65_536)));
        assert_eq!(parse_subordinate(text, "1001", "nobody"), Some((165_536, 65_536)));
        assert_eq!(parse_subordinate(text, "1002", "nobody"), None);
        assert_eq!(parse_subordinate("app:x:y\napp:1:0", "1", "app"), None);
    }
}
