//! Rule: the modules of a folder have no circular dependencies.
//!
//! Modules in a circle cannot be read, moved or tested without each other. The rule follows every path in code
//! (`crate::…`, `super::…`, `self::…`, in `use` or elsewhere) through re-exports to the module that defines the item.
//! Paths between a folder's own file and its modules may go both ways, because they are read together. Tests in a file
//! do not count.

use super::Finding;
use super::tidy::TrackedFile;
use std::collections::{BTreeMap, BTreeSet};

/// Segments of a path from the root of a package.
type Path = Vec<String>;

/// One file: the paths it uses, and its imports by name.
#[derive(Debug, Default)]
struct Module {
    file: String,
    names: Vec<Path>,
    imports: BTreeMap<String, Path>,
}

type Modules = BTreeMap<Path, Module>;

/// Which module of a folder uses which other, with an example.
type Arrows = BTreeMap<(String, String), String>;

/// Checks every package.
pub(super) fn check(files: &[TrackedFile]) -> Vec<Finding> {
    let mut packages: BTreeMap<String, Modules> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some((package, inside)) = file.path.split_once("/src/") else { continue };
        let Some(text) = &file.text else { continue };
        if let Some(path) = module_of(inside) {
            packages
                .entry(package.to_owned())
                .or_default()
                .insert(path, Module { file: text.clone(), ..Module::default() });
        }
    }
    packages.into_iter().flat_map(|(package, modules)| circles(&package, modules)).collect()
}

/// The module path of a file under `src`; `None` for a file of tests.
fn module_of(inside: &str) -> Option<Path> {
    let path: Path = inside.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    let is_folder = path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    if path.iter().any(|segment| segment == "tests") {
        return None;
    }
    Some(path[..path.len() - usize::from(is_folder)].to_vec())
}

fn circles(package: &str, mut modules: Modules) -> Vec<Finding> {
    let paths: BTreeSet<Path> = modules.keys().cloned().collect();
    for (path, module) in &mut modules {
        let code = code(&module.file);
        read(&code, path, &paths, module);
    }
    let mut folders: BTreeMap<Path, Arrows> = BTreeMap::new();
    for (from, module) in &modules {
        for named in &module.names {
            let to = resolve(named, &modules, 0);
            let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            if from.len() > shared && to.len() > shared {
                let arrow = (from[shared].clone(), to[shared].clone());
                let example = format!("{} names {}", from.join("::"), named.join("::"));
                folders.entry(from[..shared].to_vec()).or_default().entry(arrow).or_insert(example);
            }
        }
    }
    let found =
        folders.iter().flat_map(|(folder, arrows)| knots(arrows).into_iter().map(move |knot| (folder, arrows, knot)));
    found
        .map(|(folder, arrows, knot)| {
            let inside = arrows.iter().filter(|((from, to), _)| knot.contains(from) && knot.contains(to));
            let examples: Vec<&str> = inside.map(|(_, example)| example.as_str()).collect();
            let names: Vec<&str> = knot.iter().map(String::as_str).collect();
            let place = format!("{package}/src/{}", folder.join("/"));
            Finding::new(place, format!("a circle of {}: {}", names.join(", "), examples.join("; ")))
        })
        .collect()
}

/// The code of a file up to its tests, without comments and string literals.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let mut outside = true;
        let line = line.split("//").next().unwrap_or_default();
        for part in line.split('"') {
            if outside {
                code.push_str(part);
            }
            outside = !outside;
        }
        code.push('\n');
    }
    code
}

/// Splits code into words, `::`, and the punctuation of import lists.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    tokens
}

/// Collects every path in the code that begins in this package.
fn read(code: &str, here: &Path, modules: &BTreeSet<Path>, module: &mut Module) {
    let tokens = tokens(code);
    let mut at = 0;
    while at < tokens.len() {
        let importing = tokens[at] == "use";
        let start = at + usize::from(importing);
        let follows_a_path = at > 0 && tokens[at - 1] == "::";
        let base = match tokens.get(start).copied() {
            Some("crate") => Some(Vec::new()),
            Some("self") => Some(here.clone()),
            Some("super") => Some(here[..here.len().saturating_sub(1)].to_vec()),
            Some(name) if importing => {
                Some([&here[..], &[name.to_owned()]].concat()).filter(|child| modules.contains(child))
            }
            Some(_) | None => None,
        };
        match base.filter(|_| !follows_a_path && tokens.get(start + 1) == Some(&"::")) {
            Some(base) => {
                let mut leaves = Vec::new();
                at = tree(&tokens, start + 2, base, &mut leaves);
                for (name, path) in leaves {
                    if importing {
                        module.imports.insert(name, path.clone());
                    }
                    module.names.push(path);
                }
            }
            None => at += 1,
        }
    }
}

/// Parses what follows a `::`: the rest of a path, or a list in braces. Returns the index after it.
fn tree(tokens: &[&str], mut at: usize, mut base: Path, leaves: &mut Vec<(String, Path)>) -> usize {
    loop {
        match tokens.get(at).copied() {
            Some("{") => {
                at += 1;
                while let Some(token) = tokens.get(at).copied() {
                    match token {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at = tree(tokens, at, base.clone(), leaves).max(at + 1),
                    }
                }
                return at;
            }
            Some("super") => {
                base.pop();
                at += 1;
            }
            Some("self") => at += 1,
            Some(name) if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                base.push(name.to_owned());
                at += 1;
            }
            Some(_) | None => return at,
        }
        if tokens.get(at) == Some(&"::") {
            at += 1;
            continue;
        }
        let own = base.last().cloned().unwrap_or_default();
        let name = match tokens.get(at..at + 2) {
            Some(["as", alias]) => {
                at += 2;
                (*alias).to_owned()
            }
            Some(_) | None => own,
        };
        leaves.push((name, base));
        return at;
    }
}

/// The module that defines the item of this path.
fn resolve(path: &Path, modules: &Modules, depth: usize) -> Path {
    let mut module = Vec::new();
    for (at, segment) in path.iter().enumerate() {
        let inner = [&module[..], std::slice::from_ref(segment)].concat();
        if modules.contains_key(&inner) {
            module = inner;
            continue;
        }
        let import = modules.get(&module).and_then(|here| here.imports.get(segment));
        return match import.filter(|_| depth < 8) {
            Some(import) => resolve(&[&import[..], &path[at + 1..]].concat(), modules, depth + 1),
            None => module,
        };
    }
    module
}

/// The strongly connected components with more than one module.
fn knots(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let names: BTreeSet<&String> = arrows.keys().flat_map(|(from, to)| [from, to]).collect();
    let reached = |start: &String| {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut ahead = vec![start.clone()];
        while let Some(from) = ahead.pop() {
            let next = arrows.keys().filter(|(one, _)| *one == from).map(|(_, to)| to.clone());
            ahead.extend(next.filter(|to| seen.insert(to.clone())).collect::<Vec<_>>());
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<String>> = names.iter().map(|name| (*name, reached(name))).collect();
    let knot = |name: &&String| -> BTreeSet<String> {
        all[*name].iter().filter(|other| all[*other].contains(*name)).cloned().collect()
    };
    names.iter().map(knot).filter(|knot| knot.len() > 1).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| TrackedFile::fixture(path, text)).collect();
        check(&files).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn modules_in_an_order_have_no_findings() {
        let files = [
            ("crates/a/src/lib.rs", "mod low;\nmod high;\npub use low::Low;\n"),
            (
                "crates/a/src/low.rs",
                "// use crate::high::High;\nconst TEXT: &str = \"crate::high::High\";\n\n#[cfg(test)]\nmod tests {\n    use crate::high::High;\n}\n",
            ),
            (
                "crates/a/src/high/mod.rs",
                "mod part;\nuse crate::Low;\nuse self::part::Part;\npub struct High(Low, Part);\n",
            ),
            ("crates/a/src/high/part.rs", "use super::High;\npub struct Part;\n"),
            ("crates/b/src/low.rs", "use crate::high::High;\n"),
        ];
        assert_eq!(findings(&files), [] as [String; 0]);
    }

    #[test]
    fn every_kind_of_circle_is_found() {
        /// The case, the files as path and text, the finding.
        type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let rows: [Row; 6] = [
            (
                "by imports",
                &[("crates/a/src/x.rs", "use crate::y::Y;\n"), ("crates/a/src/y.rs", "use crate::{x::{X, Z}, w};\n")],
                "crates/a/src/: a circle of x, y: x names y::Y; y names x::X",
            ),
            (
                "by a path in code",
                &[("crates/a/src/x.rs", "fn f() { crate::y::g() }\n"), ("crates/a/src/y.rs", "use super::x;\n")],
                "a circle of x, y",
            ),
            (
                "through a re-export with another name",
                &[
                    ("crates/a/src/lib.rs", "pub use y::Y as Why;\n"),
                    ("crates/a/src/x.rs", "use crate::Why;\n"),
                    ("crates/a/src/y.rs", "use crate::x::X;\n"),
                ],
                "a circle of x, y",
            ),
            (
                "in the benchmarks",
                &[("bench/src/x.rs", "use super::y::Y;\n"), ("bench/src/y.rs", "use super::x::X;\n")],
                "bench/src/: a circle of x, y",
            ),
            (
                "inside a folder",
                &[
                    ("crates/a/src/f/mod.rs", "mod x;\nmod y;\n"),
                    ("crates/a/src/f/x.rs", "use super::y::Y;\n"),
                    ("crates/a/src/f/y.rs", "use crate::f::x::X;\n"),
                ],
                "crates/a/src/f: a circle of x, y",
            ),
            (
                "of three",
                &[
                    ("crates/a/src/x.rs", "use crate::y::Y;\n"),
                    ("crates/a/src/y.rs", "use crate::z::Z;\n"),
                    ("crates/a/src/z/mod.rs", "mod deep;\n"),
                    ("crates/a/src/z/deep.rs", "use super::super::x::X;\n"),
                ],
                "crates/a/src/: a circle of x, y, z",
            ),
        ];
        for (name, files, expected) in rows {
            let found = findings(files);
            assert!(found.len() == 1 && found[0].contains(expected), "{name}: {found:?}");
        }
    }
}
