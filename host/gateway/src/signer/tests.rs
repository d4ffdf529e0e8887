use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use pg_logstats_audit::{Log, NewRecord, TrustedKeys, verify};

use super::server::Server;
use super::*;
use crate::workspace::AUDIT_ORIGIN;

/// A key pair, and an empty folder for a log.
fn house() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("key.pem");
    crate::keys::generate(&key).unwrap();
    std::fs::create_dir(home.path().join("audit")).unwrap();
    (home, key)
}

fn signer(key: &Path, way: Way, timeout_ms: u64) -> ExternalSigner {
    let config = SignerConfig {
        public_key: key.to_owned(),
        way,
        timeout: Duration::from_millis(timeout_ms),
    };
    ExternalSigner::new(&config).unwrap()
}

fn audit(home: &Path) -> Dir {
    Dir::open_ambient_dir(home.join("audit"), ambient_authority()).unwrap()
}

fn shell(script: &str) -> Way {
    Way::Command(["sh", "-c", script].map(str::to_owned).to_vec())
}

fn append(log: &Log, id: &str) -> Result<u64, pg_logstats_audit::AuditError> {
    let record = NewRecord {
        id,
        kind: "triage",
        incident: None,
        created_us: 1,
        payload: b"{}",
    };
    log.append(&record).map(|sealed| sealed.index)
}

#[test]
fn openssl_behind_a_command_signs_a_log() {
    let (home, key) = house();
    let script = format!(
        "t=$(mktemp) && cat >\"$t\" && openssl pkeyutl -sign -rawin -inkey '{}' -in \"$t\"; code=$?; rm -f \"$t\"; exit $code",
        key.display()
    );
    let signer = signer(&key, shell(&script), 60_000);
    let public = signer.public().clone();
    let log = Log::open(audit(home.path()), Box::new(signer), AUDIT_ORIGIN).unwrap();
    for (index, id) in ["rp_1", "rp_2"].into_iter().enumerate() {
        assert_eq!(append(&log, id).unwrap(), index as u64);
    }
    let report = verify(&audit(home.path()), &TrustedKeys::from(public.clone()), AUDIT_ORIGIN).unwrap();
    assert!(report.is_verified(), "{:?}", report.problems);
    assert_eq!(report.records_by_key.get(public.key_id()), Some(&2));
}

#[test]
fn a_signer_that_does_not_sign_leaves_no_record() {
    let (home, key) = house();
    let (other, other_key) = house();
    let socket = other.path().join("signer.sock");
    let server = Server::bind(&socket, &other_key, &[]).unwrap();
    std::thread::spawn(move || server.run());
    let good = home.path().join("signer.sock");
    let server = Server::bind(&good, &key, &[]).unwrap();
    std::thread::spawn(move || server.run());
    let log = |way: Way, timeout_ms| {
        Log::open(
            audit(home.path()),
            Box::new(signer(&key, way, timeout_ms)),
            AUDIT_ORIGIN,
        )
    };
    append(&log(Way::Socket(good.clone()), 60_000).unwrap(), "rp_1").unwrap();
    for (number, (way, timeout_ms, said)) in [
        (
            Way::Socket(socket),
            60_000,
            "does not verify under `audit.signer.public_key`",
        ),
        (
            Way::Socket(home.path().join("nobody.sock")),
            60_000,
            "nobody.sock`: No such file",
        ),
        (shell("exit 3"), 60_000, "`sh` failed (exit status: 3)"),
        (shell("head -c 63 /dev/zero"), 60_000, "it answered with 63 bytes"),
        (shell("cat /dev/zero"), 60_000, "`sh` failed ("),
        (shell("head -c 64 /dev/zero"), 60_000, "does not verify"),
        (shell("exec sleep 60"), 200, "no answer within 200 ms"),
        (shell("exec >&-; exec sleep 60"), 300, "`sh` did not end within 300 ms"),
        (
            Way::Command(vec!["/no/such/program".to_owned()]),
            60_000,
            "cannot start `/no/such/program`",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let error = append(&log(way, timeout_ms).unwrap(), &format!("in_{number}")).unwrap_err();
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
    let public = signer(&key, shell("exit 1"), 1).public().clone();
    let report = verify(&audit(home.path()), &TrustedKeys::from(public), AUDIT_ORIGIN).unwrap();
    assert!(report.is_verified() && report.records == 1, "{:?}", report.problems);
    assert_eq!(append(&log(Way::Socket(good), 60_000).unwrap(), "rp_2").unwrap(), 1);
}

#[test]
fn the_socket_takes_what_a_log_signs_and_is_replaced_when_nobody_listens() {
    let (home, key) = house();
    let socket = home.path().join("signer.sock");
    // One whose process was killed: the file stays and nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let server = Server::bind(&socket, &key, &[12_345]).unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o666);
    let second = Server::bind(&socket, &key, &[]).unwrap_err().to_string();
    assert!(second.contains("signer.sock`: Address already in use"), "{second}");
    std::thread::spawn(move || server.run());
    let signer = signer(&key, Way::Socket(socket), 60_000);
    let message = pg_logstats_audit::dsse::pae("application/vnd.pg-logstats.intent+json", b"{}");
    assert!(signer.public().verifies(&message, &signer.sign(&message).unwrap()));
    let error = signer.sign(b"transfer everything").unwrap_err().to_string();
    assert!(error.contains("it refused"), "{error}");
}
