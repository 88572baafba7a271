//! The `exports` of a package: which file a subpath leads to, under the conditions of `import` or of `require`.

use serde_json::Value;

/// How a package is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// By `import`, which guesses no file names.
    Import,
    /// By `require`.
    Require,
}

impl Mode {
    /// The conditions that Node sets for it beside `default`.
    fn sets(self, condition: &str) -> bool {
        let own = match self {
            Self::Import => "import",
            Self::Require => "require",
        };
        condition == own || ["node", "node-addons", "module-sync", "default"].contains(&condition)
    }

    /// In words, for a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Require => "require",
        }
    }
}

/// Where a subpath leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exported {
    /// To this file, relative to the package: `./lib/index.js`.
    File(String),
    /// Nowhere: it is not listed, or is listed as closed.
    Nothing,
    /// It is listed, and only for other conditions.
    OtherConditions,
    /// The map is none that Node's documentation describes.
    Unclear,
}

/// Objects and lists that are followed into each other.
const DEPTH: u32 = 16;

/// Where `subpath` of a package leads (`None`: the package itself).
pub(super) fn exported(exports: &Value, subpath: Option<&str>, mode: Mode) -> Exported {
    let by_subpath = exports.as_object().filter(|map| map.keys().any(|key| key.starts_with('.')));
    let Some(map) = by_subpath else {
        return match subpath {
            None => target(exports, "", mode, DEPTH),
            Some(_) => Exported::Nothing,
        };
    };
    let wanted = subpath.map_or_else(|| ".".to_owned(), |subpath| format!("./{subpath}"));
    if let Some(value) = map.get(&wanted).filter(|_| !wanted.contains('*')) {
        return target(value, "", mode, DEPTH);
    }
    // The pattern with the longest beginning wins.
    let patterns = map.iter().filter_map(|(key, value)| {
        let (before, after) = key.split_once('*')?;
        let part = wanted.strip_prefix(before)?.strip_suffix(after)?;
        (!part.is_empty()).then_some((before.len(), part, value))
    });
    if let Some((_, part, value)) = patterns.max_by_key(|(length, ..)| *length) {
        return target(value, part, mode, DEPTH);
    }
    // Folders (`"./lib/": "./lib/"`) were taken by releases before 17.
    let folder = map.keys().any(|key| key.ends_with('/') && wanted.starts_with(key.as_str()));
    if folder { Exported::Unclear } else { Exported::Nothing }
}

fn target(value: &Value, part: &str, mode: Mode, depth: u32) -> Exported {
    let Some(depth) = depth.checked_sub(1) else { return Exported::Unclear };
    match value {
        Value::String(path) if path.starts_with("./") => Exported::File(path.replace('*', part)),
        Value::Null => Exported::Nothing,
        Value::Object(conditions) => conditions
            .iter()
            .filter(|(condition, _)| mode.sets(condition))
            .map(|(_, value)| target(value, part, mode, depth))
            .find(|found| *found != Exported::OtherConditions)
            .unwrap_or(Exported::OtherConditions),
        Value::Array(choices) => choices
            .iter()
            .map(|value| target(value, part, mode, depth))
            .find(|found| matches!(found, Exported::File(_)))
            .unwrap_or(Exported::Unclear),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Exported::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Exported::{File, Nothing, OtherConditions, Unclear};
    use super::Mode::{Import, Require};
    use super::{Exported, Mode, exported};

    #[test]
    fn subpaths_lead_where_node_says() {
        let file = |path: &str| File(path.to_owned());
        let both = json!({ ".": { "types": "./i.d.ts", "import": "./i.mjs", "require": "./i.cjs" }, "./sub": "./s.js",
            "./closed": null, "./lib/*": "./l/*.js", "./lib/deep/*": "./d/*.js", "./lib/x/*.json": "./*.json" });
        let cases: Vec<(Value, Option<&str>, Mode, Exported)> = vec![
            (json!("./i.js"), None, Import, file("./i.js")),
            (json!("./i.js"), Some("sub"), Import, Nothing),
            (both.clone(), None, Import, file("./i.mjs")),
            (both.clone(), None, Require, file("./i.cjs")),
            (both.clone(), Some("sub"), Require, file("./s.js")),
            (both.clone(), Some("closed"), Require, Nothing),
            (both.clone(), Some("other"), Require, Nothing),
            (both.clone(), Some("lib/a/b"), Import, file("./l/a/b.js")),
            (both.clone(), Some("lib/deep/c"), Import, file("./d/c.js")),
            (both.clone(), Some("lib/x/c.json"), Import, file("./c.json")),
            (both, Some("lib/"), Import, Nothing),
            (json!({ "import": "./i.mjs" }), None, Require, OtherConditions),
            (json!({ "browser": "./b.js", "default": "./d.js" }), None, Require, file("./d.js")),
            (
                json!({ ".": { "node": { "import": "./n.mjs" }, "default": "./d.js" } }),
                None,
                Require,
                file("./d.js"),
            ),
            (json!(["not a path", "./a.js"]), None, Import, file("./a.js")),
            (json!({ "./lib/": "./lib/" }), Some("lib/a.js"), Import, Unclear),
            (json!(7), None, Import, Unclear),
        ];
        for (exports, subpath, mode, expected) in cases {
            assert_eq!(exported(&exports, subpath, mode), expected, "{exports} {subpath:?} {mode:?}");
        }
    }

    #[test]
    fn a_map_without_an_end_does_no_harm() {
        let mut map = json!("./i.js");
        for _ in 0..100 {
            map = json!({ "default": map });
        }
        assert_eq!(exported(&map, None, Import), Unclear);
    }
}
