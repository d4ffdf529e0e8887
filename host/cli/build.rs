//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Each command starts the program anew, and an eighth of its processor time was to relocate it, by a list of more than a megabyte.
    // Packed, it takes glibc 2.36 (Debian 12), which is what the toolchain installs on.
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
