//! Generated documents must be what the code of today generates.

use anyhow::Result;

use crate::complaint::Complaint;
use crate::generated;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree) -> Result<Vec<Complaint>> {
    let stale = |(path, text, command): (&'static str, String, &'static str)| {
        let current = tree.files.get(path).is_some_and(|found| *found == text);
        (!current).then(|| Complaint::about(path, format!("not what the code says today: {command}")))
    };
    Ok(generated::all()?.into_iter().filter_map(stale).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_lags_behind_is_named() {
        let mut tree = Tree::of(&[]);
        for (path, text, _) in generated::all().unwrap() {
            tree.files.insert(path.to_owned(), text);
        }
        assert_eq!(check(&tree).unwrap(), []);
        tree.files.get_mut(generated::SCHEMA).unwrap().push(' ');
        tree.files.remove(generated::CATALOGUE);
        assert_eq!(check(&tree).unwrap().len(), 2);
    }
}
