//! The migrations are read while the crate is compiled: compile it again when one changes. What each takes back is made into
//! a table, so that the program can say what would be lost before it is.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
    let mut code = String::new();
    for backend in ["sqlite", "postgresql"] {
        let folder = Path::new("../../migrations").join(backend);
        let entries = fs::read_dir(&folder).expect("the folder of the migrations");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("a migration").file_name().into_string().expect("a name in UTF-8"))
            .filter(|name| folder.join(name).join("down.sql").is_file())
            .collect();
        names.sort();
        let constant = backend.to_uppercase();
        writeln!(code, "pub(in crate::migrate) const {constant}: &[(&str, &str)] = &[").expect("a string grows");
        for name in names {
            let down = fs::read_to_string(folder.join(&name).join("down.sql")).expect("down.sql");
            writeln!(code, "    ({name:?}, {down:?}),").expect("a string grows");
        }
        code.push_str("];\n");
    }
    let target = env::var_os("OUT_DIR").expect("a folder for what is made");
    fs::write(Path::new(&target).join("downs.rs"), code).expect("the table is written");
}
