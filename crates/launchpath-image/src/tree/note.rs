//! What was odd in the layers: members that were passed over, and why.

/// How many notes are kept; the rest is counted.
pub(super) const KEPT: usize = 1000;

/// A member of a layer that was passed over or read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The layer, from 0.
    pub layer: usize,
    /// The member's name, as far as it is text.
    pub path: String,
    /// What is odd.
    pub oddity: Oddity,
}

/// What is odd about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Its name has a `..`: passed over.
    ParentEscape,
    /// Its name is absolute: read as relative to the root.
    AbsoluteName,
    /// Its name is not UTF-8: passed over.
    NameNotText,
    /// A device or a pipe: passed over.
    Device,
    /// A file with holes: passed over.
    Sparse,
    /// A type nobody defined: passed over.
    UnknownType,
    /// A hard link to nothing, to a directory or out of the tree: passed over.
    HardLinkTarget,
    /// Something on the way to it is no directory: passed over.
    ParentNotDirectory,
    /// A whiteout that names nothing that can be removed: passed over.
    Whiteout,
    /// A symbolic link in a code zip: kept, though nothing says that the service does.
    LinkInZip,
    /// Not to be read by whoever runs this: passed over.
    Unreadable,
    /// Another file system is mounted there: passed over.
    Mount,
}

impl Oddity {
    /// In words, to follow the member's name.
    pub fn text(self) -> &'static str {
        match self {
            Self::ParentEscape => "has a name with `..` and is passed over",
            Self::AbsoluteName => "has an absolute name and is read as relative to the root",
            Self::NameNotText => "has a name that is not UTF-8 and is passed over",
            Self::Device => "is a device or a pipe and is passed over",
            Self::Sparse => "is a sparse file and is passed over",
            Self::UnknownType => "has an unknown type and is passed over",
            Self::HardLinkTarget => "is a hard link to nothing in the image and is passed over",
            Self::ParentNotDirectory => "lies below something that is no directory and is passed over",
            Self::Whiteout => "is a whiteout without a valid name and is passed over",
            Self::LinkInZip => "is a symbolic link in a zip, which the service may not keep",
            Self::Unreadable => "cannot be read by this user and is passed over",
            Self::Mount => "is another file system and is passed over",
        }
    }

    /// Whether no honest build tool writes this.
    pub fn is_hostile(self) -> bool {
        matches!(self, Self::ParentEscape | Self::Whiteout | Self::ParentNotDirectory)
    }
}
