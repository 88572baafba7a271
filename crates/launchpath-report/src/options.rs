//! How the output is to look: decided by the caller, who knows the terminal, the flags and the environment.

/// Narrower than this nothing is laid out; a smaller width is read as this one.
pub const MIN_WIDTH: usize = 40;

/// Wider than this prose is not set: the eye loses the line.
pub const MAX_WIDTH: usize = 120;

/// Whether the output has colour. Colour is never the only carrier of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// ANSI styles.
    On,
    /// None.
    #[default]
    Off,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What a reader needs first; long lists are shortened, and it is said by how much.
    #[default]
    Normal,
    /// Everything, with the list of calls.
    Full,
}

/// How the output is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns; taken as at least [`MIN_WIDTH`] and at most [`MAX_WIDTH`].
    pub width: usize,
    /// Colour or none.
    pub colour: Colour,
    /// False where the terminal shows ASCII only.
    pub unicode: bool,
    /// How much is shown.
    pub detail: Detail,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 80, colour: Colour::Off, unicode: true, detail: Detail::Normal }
    }
}

impl Options {
    /// The columns prose may take.
    pub fn columns(&self) -> usize {
        self.width.clamp(MIN_WIDTH, MAX_WIDTH)
    }

    /// Whether everything is to be shown.
    pub fn is_full(&self) -> bool {
        self.detail == Detail::Full
    }
}
