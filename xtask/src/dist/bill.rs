//! The bill of materials: every crate that is linked into the distributed programs, as `CycloneDX` 1.5 JSON.

use super::{PROGRAMS, Release};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use task_support::fail::{Context as _, Result};
use task_support::process::output;
use task_support::project;

/// Writes the bill beside the archives.
pub(super) fn write(release: &Release) -> Result<PathBuf> {
    let mut components = BTreeMap::new();
    for (package, _) in PROGRAMS {
        // `normal` edges only: build scripts and procedural macros are not linked.
        let mut cargo = project::cargo();
        cargo.args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--package", package]);
        let tree = output(cargo.args(["--format", "{p}|{l}"]))?;
        components.extend(read(&String::from_utf8_lossy(&tree)));
    }
    let file = release.folder.join(format!("nolapse-{}.cdx.json", release.version));
    let text = serde_json::to_string_pretty(&document(release, &components.into_values().collect::<Vec<_>>()))
        .attempt(|| "write the bill of materials".into())?;
    std::fs::write(&file, text + "\n").attempt(|| format!("write {}", file.display()))?;
    Ok(file)
}

fn document(release: &Release, components: &[Value]) -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "name": "nolapse", "version": release.version, "bom-ref": "nolapse",
        } },
        "components": components,
    })
}

/// Lines of `cargo tree --format {p}|{l}`, by name and version: `serde v1.0.0 (*)|MIT OR Apache-2.0`.
fn read(tree: &str) -> BTreeMap<String, Value> {
    let component = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // Skip the workspace's packages, which have a path here.
        if words.next().is_some_and(|word| word.starts_with("(/")) {
            return None;
        }
        let url = format!("pkg:cargo/{name}@{version}");
        let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
        let mut value = json!({ "type": "library", "name": name, "version": version, "purl": url, "bom-ref": url });
        if !licence.is_empty() {
            value["licenses"] = json!([{ "expression": licence }]);
        }
        Some((url, value))
    };
    tree.lines().filter_map(component).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_external_crate_is_listed_once() {
        let tree = "nlp v0.1.0 (/x/crates/nlp)|Apache-2.0\nserde v1.0.2|MIT OR Apache-2.0\nserde v1.0.2 (*)|MIT OR Apache-2.0\n\
                    memchr v2.8.3|Unlicense/MIT\n";
        let found = read(tree);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["pkg:cargo/memchr@2.8.3", "pkg:cargo/serde@1.0.2"]);
        assert_eq!(found["pkg:cargo/memchr@2.8.3"]["licenses"][0]["expression"], "Unlicense OR MIT");
    }
}
