use serde_json::{Value, json};

use super::*;

const COMPONENT: &[u8] = b"component";
const ENVELOPE: &[u8] = b"envelope";

fn bundles(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bundles = read(path).unwrap();
    bundles.into_iter().map(|it| (it.component, it.envelope)).collect()
}

fn fails(path: &Path, words: &str) {
    let error = read(path).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_pair_and_a_folder_of_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fails(folder.path(), "has no runbook in it");
    fails(&at("a.wasm"), "a.wasm");
    std::fs::write(at("b.wasm"), "b").unwrap();
    std::fs::write(at("README"), "no runbook").unwrap();
    fails(folder.path(), "b.wasm.dsse` is missing");
    std::fs::write(at("b.wasm.dsse"), "of b").unwrap();
    std::fs::write(at("a.wasm"), "a").unwrap();
    std::fs::write(at("a.wasm.dsse"), "of a").unwrap();
    let pair = |component: &str, envelope: &str| (component.as_bytes().to_vec(), envelope.as_bytes().to_vec());
    assert_eq!(bundles(folder.path()), [pair("a", "of a"), pair("b", "of b")]);
    assert_eq!(bundles(&at("b.wasm")), [pair("b", "of b")]);
    for at in 0..=MOST {
        std::fs::write(folder.path().join(format!("{at}.wasm")), "").unwrap();
    }
    fails(folder.path(), "more than 100 runbooks");
}

/// An image layout as registries' tools write it, which `change` may spoil.
fn layout(change: impl Fn(&str, &mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let blob = |media_type: &str, bytes: &[u8]| {
        let hex = crate::hex(&Sha256::digest(bytes));
        std::fs::write(blobs.join(&hex), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
    };
    let document = |name: &str, mut value: Value| {
        change(name, &mut value);
        serde_json::to_vec(&value).unwrap()
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob("application/vnd.wasm.config.v0+json", b"{}"),
        "layers": [blob(WASM_LAYER, COMPONENT)],
        "annotations": {"org.opencontainers.image.title": "locks"},
    });
    let manifest = blob(MANIFEST, &document("component", manifest));
    let signatures = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": DSSE_LAYER,
        "config": blob("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [blob(DSSE_LAYER, ENVELOPE)],
        "subject": manifest,
    });
    let signatures = blob(MANIFEST, &document("signatures", signatures));
    let other = blob("application/vnd.oci.image.index.v1+json", b"{}");
    let index = json!({"schemaVersion": 2, "manifests": [other, manifest, signatures]});
    std::fs::write(folder.path().join("index.json"), document("index", index)).unwrap();
    let version = json!({"imageLayoutVersion": "1.0.0"});
    std::fs::write(folder.path().join("oci-layout"), document("layout", version)).unwrap();
    folder
}

#[test]
fn an_oci_image_layout() {
    let good = layout(|_, _| ());
    assert_eq!(bundles(good.path()), [(COMPONENT.to_vec(), ENVELOPE.to_vec())]);
    for (document, path, value, words) in [
        ("layout", "/imageLayoutVersion", json!("2.0.0"), "`2.0.0` is not 1.0.0"),
        ("layout", "/imageLayoutVersion", json!(1), "`oci-layout`"),
        ("index", "/manifests", json!([]), "has no runbook in it"),
        ("index", "/manifests/2", json!({}), "`index.json`"),
        ("index", "/manifests/1/digest", json!("sha512:00"), "is no SHA-256"),
        (
            "index",
            "/manifests/1/digest",
            json!("sha256:../../../../etc/passwd"),
            "is no SHA-256",
        ),
        ("index", "/manifests/1/size", json!(1), "is not what its digest says"),
        ("component", "/layers/0/size", json!(1), "is not what its digest says"),
        (
            "component",
            "/layers/0/mediaType",
            json!("application/zip"),
            "has no runbook in it",
        ),
        (
            "signatures",
            "/subject/digest",
            json!(format!("sha256:{}", "0".repeat(64))),
            "so the runbook is not signed",
        ),
        ("signatures", "/subject", json!(null), "so the runbook is not signed"),
    ] {
        let bad = layout(|name, it| {
            if name == document {
                *it.pointer_mut(path).unwrap() = value.clone();
            }
        });
        fails(bad.path(), words);
    }
    let twice = layout(|name, it| {
        if name == "index" {
            let again = it["manifests"][2].clone();
            it["manifests"].as_array_mut().unwrap().push(again);
        }
    });
    fails(twice.path(), "several manifests have signatures");
}

#[test]
fn a_blob_that_lost_bytes_or_is_a_link_out_is_refused() {
    let spoiled = layout(|_, _| ());
    let hex = crate::hex(&Sha256::digest(COMPONENT));
    let file = spoiled.path().join("blobs/sha256").join(hex);
    std::fs::write(&file, "componenT").unwrap();
    fails(spoiled.path(), "is not what its digest says");
    std::fs::remove_file(&file).unwrap();
    fails(spoiled.path(), "is missing");
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), COMPONENT).unwrap();
    std::os::unix::fs::symlink(outside.path(), &file).unwrap();
    fails(spoiled.path(), "cannot read");
}
