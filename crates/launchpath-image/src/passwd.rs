//! Users and groups of an image, and what they may do with its files.

use crate::tree::{Entry, Tree};

/// Most bytes of a user or group file.
const FILE: u64 = 1 << 20;

/// Who a process of the image runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// The group and, where none was asked for, the further groups of the user.
    pub groups: Vec<u32>,
    /// The home directory, when the user file has one.
    pub home: Option<String>,
}

/// A name that the image's files do not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownAccount {
    /// No such user.
    #[error("the image's user is {0}, and /etc/passwd has no such user")]
    User(String),
    /// No such group.
    #[error("the image's group is {0}, and /etc/group has no such group")]
    Group(String),
}

impl Account {
    /// The account of an image's `USER`: a name or number, perhaps with `:group`. Empty is root.
    pub fn find(tree: &Tree, user: &str) -> Result<Self, UnknownAccount> {
        let (user, group) = match user.split_once(':') {
            Some((user, group)) => (user.trim(), Some(group.trim())),
            None => (user.trim(), None),
        };
        let users = lines(tree, "/etc/passwd");
        let user = if user.is_empty() { "0" } else { user };
        let number: Option<u32> = user.parse().ok();
        let row = users.iter().find(|row| {
            // A name wins over a number, as in the container runtimes.
            row.first().is_some_and(|name| name == user)
                || number.is_some_and(|number| row.get(2).and_then(|uid| uid.parse().ok()) == Some(number))
        });
        let (uid, gid, name, home) = match (row, number) {
            (Some(row), _) => {
                let field = |at: usize| row.get(at).and_then(|field| field.parse::<u32>().ok());
                let home = row.get(5).filter(|home| !home.is_empty()).cloned();
                (field(2).unwrap_or(0), field(3).unwrap_or(0), row.first().cloned(), home)
            }
            (None, Some(number)) => (number, 0, None, None),
            (None, None) => return Err(UnknownAccount::User(user.to_owned())),
        };
        let groups = lines(tree, "/etc/group");
        let groups = if let Some(group) = group.filter(|group| !group.is_empty()) {
            let row = groups.iter().find(|row| row.first().is_some_and(|name| name == group));
            let gid = row.and_then(|row| row.get(2)?.parse().ok()).or_else(|| group.parse().ok());
            vec![gid.ok_or_else(|| UnknownAccount::Group(group.to_owned()))?]
        } else {
            let member = |row: &&Vec<String>| {
                let members = row.get(3).map(String::as_str).unwrap_or_default();
                name.as_deref().is_some_and(|name| members.split(',').any(|member| member == name))
            };
            let further = groups.iter().filter(member).filter_map(|row| row.get(2)?.parse().ok());
            std::iter::once(gid).chain(further).collect()
        };
        Ok(Self { uid, groups, home })
    }

    /// Whether it may read a file or list a directory.
    pub fn may_read(&self, entry: &Entry<'_>) -> bool {
        self.uid == 0 || self.bits(entry) & 4 != 0
    }

    /// Whether it may execute a file or pass through a directory.
    pub fn may_execute(&self, entry: &Entry<'_>) -> bool {
        if self.uid == 0 {
            return entry.is_directory() || entry.mode() & 0o111 != 0;
        }
        self.bits(entry) & 1 != 0
    }

    /// The first directory on the way to `path` that it may not pass through.
    pub fn stopped_at(&self, tree: &Tree, path: &str) -> Option<String> {
        let mut ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0).collect();
        ends.sort_unstable();
        ends.into_iter().find_map(|end| {
            let entry = tree.lookup(&path[..end])?;
            (entry.is_directory() && !self.may_execute(&entry)).then(|| entry.path().to_owned())
        })
    }

    fn bits(&self, entry: &Entry<'_>) -> u32 {
        let mode = entry.mode();
        if entry.uid() == self.uid {
            mode >> 6
        } else if self.groups.contains(&entry.gid()) {
            mode >> 3
        } else {
            mode
        }
    }
}

fn lines(tree: &Tree, path: &str) -> Vec<Vec<String>> {
    let bytes = tree.read(path, FILE).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let rows = text.lines().filter(|line| !line.starts_with('#') && line.contains(':'));
    rows.map(|line| line.split(':').map(|field| field.trim().to_owned()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Account, UnknownAccount};
    use crate::tree::{Metadata, Tree, TreeBuilder};

    fn image() -> Tree {
        let owned = |mode, uid, gid| Metadata { uid, gid, ..Metadata::of_mode(mode) };
        TreeBuilder::in_memory()
            .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nagent:x:1000:1000::/srv/agent:/bin/sh\n")
            .file("/etc/group", "root:x:0:\nagent:x:1000:\nshared:x:2000:other,agent\n")
            .directory_with("/closed", owned(0o700, 0, 0))
            .file_with("/closed/main.py", "", owned(0o644, 0, 0))
            .file_with("/shared.py", "", owned(0o640, 0, 2000))
            .file_with("/other.py", "", owned(0o640, 0, 3000))
            .finish()
            .unwrap()
    }

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let tree = image();
        let agent = Account::find(&tree, "agent").unwrap();
        assert_eq!((agent.uid, agent.groups.as_slice()), (1000, &[1000, 2000][..]));
        assert_eq!(agent.home.as_deref(), Some("/srv/agent"));
        assert_eq!(Account::find(&tree, "1000").unwrap(), agent);
        assert_eq!(Account::find(&tree, "agent:root").unwrap().groups, [0]);
        assert_eq!(Account::find(&tree, "4711").unwrap().groups, [0]);
        assert_eq!(Account::find(&tree, "").unwrap().uid, 0);
        assert_eq!(Account::find(&tree, "nobody"), Err(UnknownAccount::User("nobody".into())));
        assert_eq!(Account::find(&tree, "agent:no"), Err(UnknownAccount::Group("no".into())));
    }

    #[test]
    fn permissions_follow_owner_groups_and_the_directories_above() {
        let tree = image();
        let agent = Account::find(&tree, "agent").unwrap();
        let entry = |path: &str| tree.lookup(path).unwrap();
        assert!(agent.may_read(&entry("/shared.py")) && !agent.may_read(&entry("/other.py")));
        assert_eq!(agent.stopped_at(&tree, "/closed/main.py").as_deref(), Some("/closed"));
        let root = Account::find(&tree, "root").unwrap();
        assert!(root.may_read(&entry("/other.py")) && !root.may_execute(&entry("/other.py")));
        assert_eq!(root.stopped_at(&tree, "/closed/main.py"), None);
    }
}
