use super::*;

/// `\0asm`, the version and the layer: an empty core module, an empty component.
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component that imports one instance of `name`, of an instance type with nothing in it.
fn importing(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let mut bytes = EMPTY_COMPONENT.to_vec();
    // Type section (7): one type, an instance type (0x42) with no declarations.
    bytes.extend([7, 3, 1, 0x42, 0]);
    // Import section (10): one import, a plain name (0), an instance (5) of type 0.
    bytes.extend([10, length + 5, 1, 0, length]);
    bytes.extend(name.as_bytes());
    bytes.extend([5, 0]);
    bytes
}

#[test]
fn lists_imports() {
    let component = importing("pg-logstats:runbook/actions@0.1.0");
    assert_eq!(
        component_imports(&component).unwrap(),
        ["pg-logstats:runbook/actions@0.1.0"]
    );
    assert_eq!(foreign_imports(&component).unwrap(), Vec::<String>::new());
    assert_eq!(component_imports(EMPTY_COMPONENT).unwrap(), Vec::<String>::new());
}

#[test]
fn whatever_is_not_exactly_ours_is_foreign() {
    for name in [
        "wasi:cli/environment@0.2.6",
        "pg-logstats:runbook/actions@0.3.0",
        "pg-logstats:runbook/actions",
        "pg-logstats:runbook/more@0.1.0",
    ] {
        assert_eq!(foreign_imports(&importing(name)).unwrap(), [name]);
    }
}

#[test]
fn imports_of_an_inner_component_are_not_the_outer_ones() {
    let inner = importing("wasi:cli/environment@0.2.6");
    let mut outer = EMPTY_COMPONENT.to_vec();
    outer.extend([4, u8::try_from(inner.len()).unwrap()]);
    outer.extend(inner);
    outer.extend(importing("pg-logstats:runbook/types@0.1.0").split_off(EMPTY_COMPONENT.len()));
    assert_eq!(component_imports(&outer).unwrap(), ["pg-logstats:runbook/types@0.1.0"]);
}

#[test]
fn anything_but_a_component_is_refused() {
    let cut = importing("wasi:cli/environment@0.2.6");
    for bytes in [EMPTY_MODULE, b"", b"\0asm", b"not wasm", cut.split_last().unwrap().1] {
        assert!(
            matches!(component_imports(bytes), Err(Error::NotAComponent { .. })),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_module_without_our_world_is_no_runbook() {
    assert!(matches!(encode("x", b"not wasm"), Err(Error::Encode { package, .. }) if package == "x"));
}
