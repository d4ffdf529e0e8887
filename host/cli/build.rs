//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Each command starts the program anew, and a quarter of a start would be reading a megabyte of relocations. Packed ones take
    // glibc 2.36 (Debian 12), which is what the toolchain installs on.
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
