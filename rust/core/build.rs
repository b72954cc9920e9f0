//! Lists the shader files, so that a new one needs no line anywhere: `SHADERS: &[(name, text)]`, by name.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut shaders = Vec::new();
    collect(&root.join("src"), &mut shaders)?;
    shaders.sort();
    let mut list = String::from(
        "/// Every shader file by name; each is complete and runs alone.\npub const SHADERS: &[(&str, &str)] = &[\n",
    );
    for (name, path) in &shaders {
        let _infallible = writeln!(list, "    ({name:?}, include_str!({:?})),", path);
    }
    list.push_str("];\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("shaders.rs"), list)
}

fn collect(folder: &Path, shaders: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, shaders)?;
        } else if path.extension().is_some_and(|extension| extension == "wgsl") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            shaders.push((name, path));
        }
    }
    Ok(())
}
