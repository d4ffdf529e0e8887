use super::*;

#[test]
fn the_outer_build_does_not_reach_the_inner_one() {
    for name in [
        "CARGO",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "CARGO_PKG_NAME",
        "CARGO_PROFILE_RELEASE_LTO",
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "DEP_PQ_INCLUDE",
        "OUT_DIR",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
        "TARGET",
    ] {
        assert!(!may_pass(OsStr::new(name)), "{name}");
    }
}

#[test]
fn the_users_settings_of_network_jobs_and_colours_do() {
    for name in [
        "CARGO_HOME",
        "CARGO_HTTP_PROXY",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_OFFLINE",
        "CARGO_REGISTRIES_MIRROR_INDEX",
        "CARGO_TERM_COLOR",
        "HOME",
        "PATH",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_HOME",
    ] {
        assert!(may_pass(OsStr::new(name)), "{name}");
    }
}

#[test]
fn flags_are_separated_so_that_a_blank_in_a_path_does_no_harm() {
    let folders = [
        (PathBuf::from("/home/a b/src"), "/pg-logstats".to_owned()),
        (PathBuf::from("/home/a b/.cargo"), "/cargo".to_owned()),
    ];
    let flags = rustflags(&folders);
    let flags: Vec<&str> = flags.to_str().unwrap().split(FLAG_SEPARATOR).collect();
    assert_eq!(
        flags,
        [
            "--remap-path-prefix=/home/a b/src=/pg-logstats",
            "--remap-path-prefix=/home/a b/.cargo=/cargo"
        ]
    );
}

#[test]
fn a_failure_names_the_packages_and_a_command_to_see_it_alone() {
    let package = |name: &str| Package {
        name: name.to_owned(),
        folder: PathBuf::from("folder"),
        imports: crate::Imports::OursOnly,
    };
    let error = failed(&[package("one"), package("two")]).to_string();
    assert!(error.contains("`one`, `two`"), "{error}");
    assert!(error.contains("`cargo check -p one -p two`"), "{error}");
}
