//! Who made something that outlives a process when that is killed: a group, a container. A later run finds it by its maker's mark.

use std::fs;

/// The mark of this process: its number and when it started. `None` where that cannot be told.
pub(crate) fn own() -> Option<String> {
    let process = std::process::id();
    Some(format!("{process}-{}", start_time(process)?))
}

/// Whether the maker of a thing with this mark is gone; `None` for a text that is no mark.
pub(crate) fn is_gone(mark: &str) -> Option<bool> {
    let mut parts = mark.split('-');
    let (process, started) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u64>().ok()?);
    Some(start_time(process) != Some(started))
}

/// When a process started, in clock ticks since the machine did: tells it from a later one of the same number.
fn start_time(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything, so count from its last parenthesis: state is the first field behind it.
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{is_gone, own};

    #[cfg(target_os = "linux")]
    #[test]
    fn makers_that_are_gone_are_told_from_others() {
        let mark = own().unwrap();
        assert_eq!(is_gone(&mark), Some(false));
        assert_eq!(is_gone(&format!("{mark}-7")), Some(false), "what follows counts its things");
        let (process, started) = mark.split_once('-').unwrap();
        let later = started.parse::<u64>().unwrap() + 1;
        assert_eq!(is_gone(&format!("{process}-{later}")), Some(true), "another process of this number");
        assert_eq!(is_gone("4194999-1-1"), Some(true));
        assert_eq!(is_gone("mine"), None);
    }
}
