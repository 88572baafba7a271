//! Small Python projects with imports that work and imports that do not, made from a number.

/// A project: paths relative to its directory, and texts.
pub(crate) type Project = Vec<(String, String)>;

/// A small generator of pseudo-random numbers: the same project for the same number, everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// A module that later ones import.
struct Made {
    /// Its dotted name.
    name: String,
    /// Names it surely has.
    names: Vec<String>,
}

const STANDARD: &[&str] = &[
    "json",
    "os.path",
    "collections.abc",
    "xml.etree.ElementTree",
    "math",
    "email.mime.text",
    "logging.handlers",
];
const ABSENT: &[&str] =
    &["zeppelin", "distutilz", "json.nothing", "os.nothing", "collections.abc.nothing", "email.nothing"];
const ABSENT_NAMES: &[(&str, &str)] = &[
    ("collections", "Mapping"),
    ("json", "Nothing"),
    ("os", "nothing"),
    ("email", "nothing"),
    ("typing", "Nothing"),
];

/// The project of a number.
pub(crate) fn project(number: u64) -> Project {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        dice.roll(2);
    }
    let mut files = Project::new();
    let mut made: Vec<Made> = Vec::new();
    for index in 0..2 + dice.roll(4) {
        module(&mut dice, index, &mut files, &mut made);
    }
    // One project in three has no fault at all, so that sound ones are met too.
    let faults = if dice.one_in(3) { 0 } else { 4 };
    let mut main = String::new();
    let blocks = 2 + dice.roll(4);
    for _ in 0..blocks {
        let statement = import(&mut dice, &made, faults);
        main.push_str(&wrap(&mut dice, &statement));
    }
    main.push_str("print('done')\n");
    files.push(("main.py".to_owned(), main));
    files
}

/// One module or package with its own imports and names.
fn module(dice: &mut Dice, index: usize, files: &mut Project, made: &mut Vec<Made>) {
    let (text, names) = body(dice, made, index);
    match dice.roll(4) {
        0 => {
            files.push((format!("m{index}.py"), text));
            made.push(Made { name: format!("m{index}"), names });
        }
        1 => {
            // A package with a submodule that it may import from.
            let (inner, inner_names) = body(dice, made, index + 10);
            files.push((format!("p{index}/inner.py"), inner));
            let mut names = names;
            let text = match dice.roll(4) {
                0 => format!("from .inner import *\n{text}"),
                1 => format!("from . import inner\n{text}"),
                2 => format!("from .inner import {} as renamed\n{text}", inner_names[0]),
                _ => text,
            };
            if text.contains("as renamed") {
                names.push("renamed".to_owned());
            }
            if dice.one_in(2) {
                let (deep, deep_names) = body(dice, made, index + 20);
                let relative =
                    if dice.one_in(2) { "from ..inner import *\n" } else { "from .. import inner\n" };
                files.push((format!("p{index}/sub/__init__.py"), format!("{relative}{deep}")));
                made.push(Made { name: format!("p{index}.sub"), names: deep_names });
            }
            files.push((format!("p{index}/__init__.py"), text));
            made.push(Made { name: format!("p{index}.inner"), names: inner_names });
            made.push(Made { name: format!("p{index}"), names });
        }
        2 => {
            // A namespace.
            files.push((format!("n{index}/leaf.py"), text));
            made.push(Made { name: format!("n{index}.leaf"), names });
        }
        _ => {
            // In a directory that the main module must add itself.
            files.push((format!("m{index}.py"), format!("import sys, os\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib{index}'))\n{text}")));
            files.push((format!("lib{index}/extra{index}.py"), "value = 1\n".to_owned()));
            made.push(Made { name: format!("m{index}"), names });
        }
    }
}

/// The text of a module, and names it surely has.
fn body(dice: &mut Dice, made: &[Made], index: usize) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut names = Vec::new();
    if dice.one_in(3) && !made.is_empty() {
        // Imports of its own, mostly sound.
        let faults = if dice.one_in(4) { 3 } else { 0 };
        let statement = import(dice, made, faults);
        text.push_str(&wrap(dice, &statement));
    }
    for number in 0..=dice.roll(4) {
        let name = format!("name_{index}_{number}");
        let line = match dice.roll(14) {
            0 => format!("def {name}():\n    return 1\n"),
            1 => format!("class {name}:\n    inner = 1\n"),
            2 => format!("{name}: int = 1\n"),
            3 => format!("(x, [{name}, *rest]) = (1, [2, 3])\n"),
            4 => format!("for {name} in range(2):\n    pass\n"),
            5 => format!("with open('/dev/null') as {name}:\n    pass\n"),
            6 => format!("def make_{name}():\n    global {name}\n    {name} = 1\nmake_{name}()\n"),
            7 => format!("import json as {name}\n"),
            8 => format!("if ({name} := 1):\n    pass\n"),
            9 => format!("globals()['{name}'] = 1\n"),
            10 => format!("match 1:\n    case {name}:\n        pass\n"),
            11 => format!("try:\n    {name} = 1\nfinally:\n    pass\n"),
            12 => format!("exec('{name} = 1')\n"),
            _ => format!("{name} = 1\n"),
        };
        text.push_str(&line);
        names.push(name);
    }
    match dice.roll(12) {
        0 => text.push_str(&format!("__all__ = ['{}']\n", names[0])),
        1 => text.push_str("def __getattr__(name):\n    if name.startswith('lazy_'):\n        return 1\n    raise AttributeError(name)\n"),
        2 => text.push_str(&format!("hidden_{index}: int\n")),
        3 => text.push_str(&format!("gone_{index} = 1\ndel gone_{index}\n")),
        4 => text.push_str(&format!("if False:\n    never_{index} = 1\n")),
        _ => {}
    }
    (text, names)
}

/// One import statement.
fn import(dice: &mut Dice, made: &[Made], faults: usize) -> String {
    if faults > 0 && dice.one_in(faults) {
        return match dice.roll(6) {
            0 => format!("import {}\n", dice.pick(ABSENT)),
            1 => {
                let (module, name) = dice.pick(ABSENT_NAMES);
                format!("from {module} import {name}\n")
            }
            2 if !made.is_empty() => format!("from {} import nothing_here\n", dice.pick(made).name),
            3 if !made.is_empty() => format!("import {}.nothing_below\n", dice.pick(made).name),
            4 => "from . import sibling\n".to_owned(),
            5 if !made.is_empty() => {
                let index = dice.roll(6);
                let name = ["hidden", "gone", "never", "lazy"][dice.roll(4)];
                format!("from {} import {name}_{index}\n", dice.pick(made).name)
            }
            _ => format!("import absent_{}\n", dice.roll(9)),
        };
    }
    if made.is_empty() || dice.one_in(4) {
        return format!("import {}\n", dice.pick(STANDARD));
    }
    let module = dice.pick(made);
    match dice.roll(4) {
        0 => format!("import {}\n", module.name),
        1 => format!("import {} as alias\n", module.name),
        2 => format!("from {} import {}\n", module.name, dice.pick(&module.names)),
        _ => format!("from {} import *\n", module.name),
    }
}

/// A statement under some circumstances.
fn wrap(dice: &mut Dice, statement: &str) -> String {
    let indented = format!("    {statement}");
    let star = statement.contains('*');
    match dice.roll(18) {
        0 => format!("try:\n{indented}except ImportError:\n    pass\n"),
        1 => format!("try:\n{indented}except Exception as error:\n    raise RuntimeError('no') from error\n"),
        2 => format!("try:\n{indented}except (KeyError, OSError):\n    pass\n"),
        3 => {
            format!("import sys\nif sys.version_info >= (3, 8):\n{indented}else:\n    import absent_branch\n")
        }
        4 => format!("import sys\nif sys.version_info[0] == 2:\n{indented}"),
        5 => format!("TYPE_CHECKING = False\nif TYPE_CHECKING:\n{indented}"),
        6 => format!("if __name__ == '__main__':\n{indented}"),
        7 if !star => format!("def later():\n{indented}"),
        8 if !star => format!("def now():\n{indented}now()\n"),
        9 if !star => format!("class Holder:\n{indented}"),
        10 => format!("import os\nif os.environ.get('NO_SUCH_VARIABLE'):\n{indented}"),
        11 => format!("from contextlib import suppress\nwith suppress(ImportError):\n{indented}"),
        12 => format!("try:\n    import absent_first\nexcept ImportError:\n{indented}"),
        13 => format!("try:\n    import json\nexcept ImportError:\n{indented}"),
        14 => format!("try:\n    pass\nexcept ValueError:\n    pass\nelse:\n{indented}"),
        15 => format!("for _ in range(1):\n{indented}"),
        _ => statement.to_owned(),
    }
}
