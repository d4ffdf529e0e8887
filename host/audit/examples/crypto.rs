#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, missing_docs)]
use cap_std::{ambient_authority, fs::Dir};
use pg_logstats_audit::*;
use std::time::Instant;
fn t(name: &str, mut f: impl FnMut()) {
    let s = Instant::now();
    for _ in 0..2000 {
        f()
    }
    println!("{name}: {:.1} us", s.elapsed().as_secs_f64() * 1e6 / 2000.0);
}
fn main() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let k = FileKey::load_or_create(&Dir::open_ambient_dir(root.path(), ambient_authority()).unwrap()).unwrap();
    let keys: TrustedKeys = k.public().clone().into();
    let p = vec![b'x'; 700];
    t("sign", || {
        std::hint::black_box(k.sign(&p).unwrap());
    });
    let sig = k.sign(&p).unwrap();
    t("verify", || {
        assert!(std::hint::black_box(k.public().verifies(&p, &sig)))
    });
    let e = dsse::seal(&k, "application/x", &p).unwrap();
    t("dsse open", || {
        std::hint::black_box(dsse::open(&e, &keys).unwrap());
    });
    t("sha256 1k", || {
        std::hint::black_box(Digest::of(&[7; 1024]));
    });
    t("leaf", || {
        std::hint::black_box(merkle::leaf_hash(&[7; 300]));
    });
    t("node", || {
        std::hint::black_box(merkle::node_hash(&Digest([0; 32]), &Digest([1; 32])));
    });
    t("file", || {
        let p = root.path().join("a");
        std::fs::write(&p, "x").unwrap();
        std::fs::remove_file(&p).unwrap();
    });
    t("thread sleep 50us", || {
        std::thread::sleep(std::time::Duration::from_micros(50))
    });
}
