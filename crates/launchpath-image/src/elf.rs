//! What the header of a compiled program or library says: the machine, the loader, the libraries it needs.
//!
//! It reads the few ranges it needs through a function it is handed, so a program of 100 MB costs some hundred bytes. A
//! general object crate wants the whole file. Every number in the file is hostile: all arithmetic is checked and every count has a limit.

use crate::tree::{Entry, Tree};

/// The machine a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// arm64.
    Aarch64,
    /// amd64.
    X86_64,
    /// 32-bit Arm.
    Arm,
    /// 32-bit x86.
    X86,
    /// Another one, by its number in the header.
    Other(u16),
}

impl Machine {
    /// The machine of an image's architecture (`arm64`, `amd64`, …).
    pub fn of_architecture(architecture: &str) -> Option<Self> {
        match architecture {
            "arm64" | "aarch64" => Some(Self::Aarch64),
            "amd64" | "x86_64" => Some(Self::X86_64),
            "arm" => Some(Self::Arm),
            "386" => Some(Self::X86),
            _ => None,
        }
    }

    /// The name the kernel and Python use, `aarch64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::X86_64 => "x86_64",
            Self::Arm => "arm",
            Self::X86 => "i386",
            Self::Other(_) => "another machine",
        }
    }

    /// The name container images use, `arm64`.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Aarch64 => "arm64",
            Self::X86_64 => "amd64",
            Self::Arm => "arm",
            Self::X86 => "386",
            Self::Other(_) => "another architecture",
        }
    }
}

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// The machine.
    pub machine: Option<Machine>,
    /// The dynamic loader it asks for.
    pub loader: Option<String>,
    /// The libraries it needs.
    pub needed: Vec<String>,
    /// Where they are looked for first, with `$ORIGIN` as written.
    pub run_path: Vec<String>,
}

/// Program headers, dynamic entries and bytes of one string that are read at most.
const PROGRAM_HEADERS: u64 = 256;
const DYNAMIC_ENTRIES: u64 = 4096;
const STRING: u64 = 4096;

impl Elf {
    /// The header of a file of a tree; `None` when it is no such file.
    pub fn of(tree: &Tree, entry: &Entry<'_>) -> Option<Self> {
        Self::read(|start, length| tree.read_range(entry, start, length).ok())
    }

    /// The header of a file whose bytes `read(start, length)` gives.
    pub fn read(read: impl Fn(u64, u64) -> Option<Vec<u8>>) -> Option<Self> {
        let header = read(0, 64)?;
        if !header.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = *header.get(4)? == 2;
        let little = *header.get(5)? == 1;
        let numbers = Numbers { little, wide };
        let machine = match numbers.short(&header, 18)? {
            183 => Machine::Aarch64,
            62 => Machine::X86_64,
            40 => Machine::Arm,
            3 => Machine::X86,
            other => Machine::Other(other),
        };
        let mut elf = Self { machine: Some(machine), ..Self::default() };
        elf.read_segments(&numbers, &header, &read);
        Some(elf)
    }

    fn read_segments(
        &mut self,
        numbers: &Numbers,
        header: &[u8],
        read: &impl Fn(u64, u64) -> Option<Vec<u8>>,
    ) -> Option<()> {
        let (table, size, count) = if numbers.wide {
            (numbers.word(header, 32)?, numbers.short(header, 54)?, numbers.short(header, 56)?)
        } else {
            (numbers.word(header, 28)?, numbers.short(header, 42)?, numbers.short(header, 44)?)
        };
        let size = usize::from(size);
        if size < if numbers.wide { 56 } else { 32 } {
            return None;
        }
        let count = u64::from(count).min(PROGRAM_HEADERS);
        let bytes = read(table, count.checked_mul(size as u64)?)?;
        let mut loads = Vec::new();
        let mut dynamic = None;
        for segment in bytes.chunks_exact(size) {
            let (offset, address, length) = if numbers.wide {
                (numbers.word(segment, 8)?, numbers.word(segment, 16)?, numbers.word(segment, 32)?)
            } else {
                (numbers.word(segment, 4)?, numbers.word(segment, 8)?, numbers.word(segment, 16)?)
            };
            match numbers.int(segment, 0)? {
                1 => loads.push((address, offset, length)),
                2 => dynamic = Some((offset, length)),
                3 => {
                    let bytes = read(offset, length.min(STRING))?;
                    self.loader = Some(string(&bytes));
                }
                _ => {}
            }
        }
        let (offset, length) = dynamic?;
        let width = if numbers.wide { 8 } else { 4 };
        let bytes = read(offset, length.min(DYNAMIC_ENTRIES * 2 * width as u64))?;
        let mut entries = Vec::new();
        for entry in bytes.chunks_exact(width * 2) {
            entries.push((numbers.word(entry, 0)?, numbers.word(entry, width)?));
        }
        let table = entries.iter().find(|(tag, _)| *tag == 5)?.1;
        let (address, offset, _) = loads.iter().find(|(address, _, length)| {
            table.checked_sub(*address).is_some_and(|distance| distance < *length)
        })?;
        let table = table.checked_sub(*address)?.checked_add(*offset)?;
        let text = |at: u64| Some(string(&read(table.checked_add(at)?, STRING)?));
        for (tag, value) in &entries {
            match tag {
                0 => break,
                1 => self.needed.extend(text(*value)),
                15 | 29 => {
                    let path = text(*value).unwrap_or_default();
                    self.run_path.extend(path.split(':').filter(|part| !part.is_empty()).map(str::to_owned));
                }
                _ => {}
            }
        }
        Some(())
    }
}

fn string(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

struct Numbers {
    little: bool,
    wide: bool,
}

impl Numbers {
    fn bytes<const N: usize>(&self, from: &[u8], at: usize) -> Option<[u8; N]> {
        let mut bytes: [u8; N] = from.get(at..at.checked_add(N)?)?.try_into().ok()?;
        if !self.little {
            bytes.reverse();
        }
        Some(bytes)
    }

    fn short(&self, from: &[u8], at: usize) -> Option<u16> {
        self.bytes(from, at).map(u16::from_le_bytes)
    }

    fn int(&self, from: &[u8], at: usize) -> Option<u32> {
        self.bytes(from, at).map(u32::from_le_bytes)
    }

    fn word(&self, from: &[u8], at: usize) -> Option<u64> {
        if self.wide {
            self.bytes(from, at).map(u64::from_le_bytes)
        } else {
            self.int(from, at).map(u64::from)
        }
    }
}
