//! The structure of the sources: the order of the modules, no import cycles inside a folder, short
//! files.
#![cfg(feature = "lab")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules in the order of ARCHITECTURE.md: each uses only modules before it.
const ORDER: [&str; 30] = [
    "burn_internals",
    "text",
    "spec",
    "error",
    "docs",
    "optim",
    "schedule",
    "pipeline",
    "chart",
    "surface",
    "seed",
    "memory",
    "files",
    "device",
    "data",
    "augment",
    "model",
    "regularizer",
    "study",
    "card",
    "verify",
    "record",
    "train",
    "task",
    "experiment",
    "grade",
    "runner",
    "report",
    "compare",
    "suite",
];

/// Re-exports that are followed.
const MAX_DEPTH: usize = 8;
/// Lines of a file, without its tests.
const MAX_LINES: usize = 400;

#[test]
fn a_module_uses_only_modules_before_it() {
    let place: BTreeMap<&str, usize> = ORDER.iter().enumerate().map(|(i, m)| (*m, i)).collect();
    let sources = Sources::read();
    for (path, text) in &sources.texts {
        let Some(own) = place.get(path[0].as_str()) else { continue };
        for used in text.split("crate::").skip(1).filter_map(first_word) {
            let used_place = place.get(used.as_str()).unwrap_or(&0);
            let path = path.join("::");
            assert!(used_place <= own, "{path} uses crate::{used}, which comes after it");
        }
    }
    let lib = ["src/lib.rs", "src/lab.rs"].map(|file| fs::read_to_string(file).unwrap()).concat();
    let module = |line: &str| {
        let module = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?;
        Some(module.strip_suffix(';')?.to_string())
    };
    let mut declared: BTreeSet<String> = lib.lines().filter_map(module).collect();
    assert!(declared.remove("lab"), "the file that declares the modules of the lab");
    let ordered: BTreeSet<String> = ORDER.iter().map(|module| module.to_string()).collect();
    assert_eq!(declared, ordered, "every module has its place in the order");
}

#[test]
fn no_file_is_in_an_import_cycle() {
    let sources = Sources::read();
    let uses: BTreeMap<Module, BTreeSet<Module>> =
        sources.texts.keys().map(|module| (module.clone(), sources.uses(module))).collect();
    let mut cycles = Vec::new();
    for module in uses.keys() {
        if let Some(cycle) = cycle_from(module, &uses) {
            cycles.push(cycle.iter().map(|m| m.join("::")).collect::<Vec<_>>().join(" -> "));
        }
    }
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}

#[test]
fn the_check_for_cycles_finds_one() {
    let text = |text: &str| text.to_string();
    let texts = BTreeMap::from([
        (path("a"), text("mod b;\nmod c;\npub use b::Item;\npub fn own() {}\n")),
        (path("a::b"), text("use super::c::Other;\npub struct Item;\n")),
        (path("a::c"), text("use super::Item;\npub struct Other;\n")),
    ]);
    let sources = Sources { texts };
    assert_eq!(
        sources.uses(&path("a::c")),
        BTreeSet::from([path("a::b")]),
        "re-exports are followed"
    );
    assert_eq!(sources.uses(&path("a::b")), BTreeSet::from([path("a::c")]));
    assert!(sources.uses(&path("a")).is_empty(), "a re-export is not a use");
}

#[test]
fn files_are_short() {
    let sources = Sources::read();
    let long = sources.texts.iter().filter(|(_, text)| text.lines().count() > MAX_LINES);
    let long: Vec<String> = long
        .map(|(path, text)| format!("{} has {} lines", path.join("::"), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "at most {MAX_LINES} lines without tests:\n{}", long.join("\n"));
}

/// The path of a module in the crate: `["optim", "rules", "adam"]`.
type Module = Vec<String>;

fn path(text: &str) -> Module {
    text.split("::").map(String::from).collect()
}

/// The text of every module of the library, without tests.
struct Sources {
    texts: BTreeMap<Module, String>,
}

impl Sources {
    fn read() -> Sources {
        let mut texts = BTreeMap::new();
        collect(Path::new("src"), &mut Vec::new(), &mut texts);
        texts.retain(|module, _| !["lib", "lab", "main"].contains(&module[0].as_str()));
        Sources { texts }
    }

    /// The other modules that a module uses, without its own re-exports.
    fn uses(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.texts[module];
        let mut used = BTreeSet::new();
        for import in imports(text) {
            if import.reexport
                && !import.path.starts_with("super")
                && !import.path.starts_with("crate")
            {
                continue;
            }
            used.extend(self.resolve(module, &import.path, 0));
        }
        used.remove(module);
        // a parent declares its children, and a child may use what another child of it exports
        used.retain(|other| other[0] == module[0]);
        used
    }

    /// The module that defines the item of a path, as seen from a module.
    fn resolve(&self, from: &Module, path: &str, depth: usize) -> Option<Module> {
        let mut at: Module = from.clone();
        let mut segments = path.split("::").map(str::trim).peekable();
        match *segments.peek()? {
            "crate" => {
                segments.next();
                at.clear();
            }
            "super" => {
                while segments.peek() == Some(&"super") {
                    segments.next();
                    at.pop();
                }
            }
            "self" => drop(segments.next()),
            first if self.texts.contains_key(&child(&at, first)) => {}
            _ => return None, // another crate, or an item of this file
        }
        for segment in segments {
            let next = child(&at, segment);
            if self.texts.contains_key(&next) {
                at = next;
            } else if let Some(defined) = self.reexported(&at, segment, depth) {
                return Some(defined);
            } else {
                break;
            }
        }
        self.texts.contains_key(&at).then_some(at)
    }

    /// The module that defines an item which this module re-exports.
    fn reexported(&self, module: &Module, item: &str, depth: usize) -> Option<Module> {
        if depth > MAX_DEPTH {
            return None; // two modules that import the name from each other
        }
        let text = self.texts.get(module)?;
        let import = imports(text).into_iter().find(|import| {
            import.name() == item && import.path.contains("::") && !import.path.starts_with("crate")
        })?;
        self.resolve(module, &import.path, depth + 1)
    }
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_string()]).collect()
}

fn collect(folder: &Path, module: &mut Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if file.is_dir() {
            module.push(name);
            collect(&file, module, texts);
            module.pop();
        } else if file.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_string();
            let path = if name == "mod" { module.clone() } else { child(module, &name) };
            texts.insert(path, text);
        }
    }
}

/// An imported path.
struct Import {
    path: String,
    reexport: bool,
}

impl Import {
    /// The name under which it is imported.
    fn name(&self) -> &str {
        let last = self.path.rsplit("::").next().unwrap_or_default();
        last.split(" as ").last().unwrap_or_default().trim()
    }
}

/// Every path of the `use` lines, and every path in the code that begins with `super::` or
/// `crate::`.
fn imports(text: &str) -> Vec<Import> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{}\n", line.split(" // ").next().unwrap_or_default()))
        .collect();
    let mut imports = Vec::new();
    for (start, _) in code.match_indices("use ") {
        let line_start = code[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = code[line_start..start].trim();
        if !before.is_empty() && !before.starts_with("pub") {
            continue;
        }
        let statement = code[start + 4..].split(';').next().unwrap_or_default();
        for path in expand(statement) {
            imports.push(Import { path, reexport: before.starts_with("pub") });
        }
    }
    for prefix in ["super::", "crate::"] {
        for (start, _) in code.match_indices(prefix) {
            let end = code[start..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = &code[start..start + end.unwrap_or(code.len() - start)];
            imports.push(Import { path: path.trim_end_matches(':').into(), reexport: false });
        }
    }
    // rows of a table macro, such as `adam::Adam,`, declare and re-export
    for line in code.lines().map(|line| line.trim().trim_end_matches(['\u{2c}', ';'])) {
        let is_row = line.split("::").count() == 2
            && line.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        if is_row && code.contains("macro_rules!") {
            imports.push(Import { path: line.into(), reexport: false });
        }
    }
    // `super::{` leaves only `super`, which is expanded above
    imports.retain(|import| !["super", "crate", "super::super"].contains(&import.path.as_str()));
    imports
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split_whitespace().collect::<Vec<_>>().join(" ")];
    };
    let (prefix, inner) = (&tree[..open], tree[open + 1..].trim_end().trim_end_matches('}'));
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inner.chars() {
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                parts.last_mut().unwrap().push(c);
            }
        }
    }
    // the last brace of a nested list was trimmed with that of the whole list
    let parts = parts.into_iter().map(|part| {
        let (opened, closed) = (part.matches('{').count(), part.matches('}').count());
        part + &"}".repeat(opened - closed.min(opened))
    });
    let paths = parts.filter(|part| !part.trim().is_empty()).flat_map(|part| expand(&part));
    paths.map(|path| format!("{prefix}{path}")).collect()
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// A way from a module back to itself.
fn cycle_from(start: &Module, uses: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut seen = BTreeSet::new();
    let mut paths = vec![vec![start.clone()]];
    while let Some(way) = paths.pop() {
        for next in uses.get(way.last()?).into_iter().flatten() {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                paths.push(longer);
            }
        }
    }
    None
}
