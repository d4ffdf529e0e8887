use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use pg_logstats_audit::{PrivateKey, Signer as _};

use super::*;
use crate::catalogue::pack::tests::ACTION;

/// An author's folder, a key, and an operator who trusts it.
struct World {
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self {
            home: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(world.operator()).unwrap();
        std::fs::set_permissions(world.operator(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let key = crate::keys::generate(&world.key()).unwrap();
        world.trust(&key.public_key, "\"catalogue\"");
        std::fs::create_dir(world.folder()).unwrap();
        world.author("1.0.0", ACTION);
        world
    }

    fn operator(&self) -> PathBuf {
        self.home.path().join("operator")
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("acme")
    }

    fn key(&self) -> PathBuf {
        self.home.path().join("dba.pem")
    }

    fn trust(&self, pem: &str, roles: &str) {
        let text = format!("[[keys]]\nname = \"dba\"\nroles = [{roles}]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        std::fs::write(self.operator().join("trust.toml"), text).unwrap();
    }

    fn author(&self, version: &str, action: &str) {
        let about = format!("name = \"acme\"\nversion = \"{version}\"\nminimum_host_version = \"0.1.0\"\n");
        std::fs::write(self.folder().join("pack.toml"), about).unwrap();
        std::fs::write(self.folder().join("acme.dead_tuples.toml"), action).unwrap();
    }

    fn install(&self) -> Result<PackView, GatewayError> {
        install_in(Some(&self.operator()), &self.folder())
    }

    fn load(&self) -> Result<Vec<Pack>, PackError> {
        load(Some(&self.operator()), &Keyring::load(Some(&self.operator())).unwrap())
    }

    fn versions(&self) -> Vec<String> {
        self.load()
            .unwrap()
            .iter()
            .map(|it| it.info().version.clone())
            .collect()
    }

    fn folders(&self) -> usize {
        let entries = std::fs::read_dir(self.operator().join("packs")).unwrap();
        entries
            .filter(|it| it.as_ref().unwrap().file_type().unwrap().is_dir())
            .count()
    }
}

#[test]
fn a_pack_is_signed_installed_replaced_and_removed() {
    let world = World::new();
    assert!(world.load().unwrap().is_empty());
    let unsigned = world.install().unwrap_err();
    assert!(unsigned.to_string().contains("catalog sign"), "{unsigned}");
    let signed = sign(&world.folder(), &world.key()).unwrap();
    assert_eq!(signed.actions, ["acme.dead_tuples"]);
    assert_eq!(world.install().unwrap().signer, "dba");
    assert_eq!(world.versions(), ["1.0.0"]);
    assert_eq!(world.install().unwrap().version, "1.0.0", "once more changes nothing");

    world.author("1.1.0", &ACTION.replace("max_bytes = 16384", "max_bytes = 8192"));
    assert!(
        world
            .install()
            .unwrap_err()
            .to_string()
            .contains("not the one that was signed")
    );
    assert_eq!(world.versions(), ["1.0.0"], "what was installed is not touched");
    sign(&world.folder(), &world.key()).unwrap();
    world.install().unwrap();
    assert_eq!(world.versions(), ["1.1.0"]);
    assert_eq!(world.folders(), 1, "the earlier version is gone");

    let unknown = remove_in(Some(&world.operator()), "other").unwrap_err();
    assert!(unknown.to_string().contains("installed are: `acme`"), "{unknown}");
    remove_in(Some(&world.operator()), "acme").unwrap();
    assert!(world.load().unwrap().is_empty());
    assert_eq!(world.folders(), 0);
}

#[test]
fn every_start_verifies_again() {
    let world = World::new();
    sign(&world.folder(), &world.key()).unwrap();
    world.install().unwrap();
    let pack = std::fs::read_dir(world.operator().join("packs"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .find(|it| it.is_dir())
        .unwrap();
    let action = pack.join("acme.dead_tuples.toml");
    let good = std::fs::read_to_string(&action).unwrap();
    std::fs::write(&action, good.replace("pg_stat_user_tables", "pg_stat_all_tables")).unwrap();
    let error = world.load().unwrap_err();
    assert!(
        error.is_tampering() && error.to_string().contains("acme.dead_tuples.toml"),
        "{error}"
    );
    std::fs::remove_file(&action).unwrap();
    assert!(matches!(world.load(), Err(PackError::Files { .. })));
    std::fs::write(&action, &good).unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);

    // The key's role, the key itself, the signature, the index.
    let pem = crate::keys::show(&world.key()).unwrap().public_key;
    world.trust(&pem, "\"approver\"");
    assert!(world.load().unwrap_err().is_denied());
    world.trust(&pem, "\"catalogue\"]\nnot_after = \"2020-01-01T00:00:00Z\"\n#[");
    assert!(world.load().unwrap_err().is_denied());
    world.trust(
        &PrivateKey::generate().unwrap().public().to_pem().unwrap(),
        "\"catalogue\"",
    );
    assert!(world.load().unwrap_err().is_denied());
    world.trust(&pem, "\"catalogue\"");
    let signature = pack.join(SIGNATURE_FILE);
    let signed = std::fs::read(&signature).unwrap();
    std::fs::write(&signature, [&signed[..], b" "].concat()).unwrap();
    assert!(world.load().unwrap_err().is_tampering());
    std::fs::write(&signature, &signed).unwrap();
    let index = world.operator().join("packs/installed.json");
    let listed = std::fs::read_to_string(&index).unwrap();
    for wrong in [
        listed.replace("acme", "other"),
        listed.replace("\"index_version\": 1", "\"index_version\": 2"),
        listed.replace("\"packs\"", "\"more\""),
        "{}".to_owned(),
    ] {
        std::fs::write(&index, wrong).unwrap();
        assert!(world.load().is_err());
    }
    std::fs::write(&index, listed).unwrap();
    assert_eq!(world.versions(), ["1.0.0"]);
}

#[test]
fn a_folder_with_more_in_it_than_was_signed_is_not_installed() {
    let world = World::new();
    sign(&world.folder(), &world.key()).unwrap();
    std::fs::write(world.folder().join("README.md"), "for people").unwrap();
    world.install().unwrap();
    let second = world.folder().join("acme.second.toml");
    std::fs::write(&second, ACTION.replace("dead_tuples", "second")).unwrap();
    assert!(world.install().unwrap_err().to_string().contains("was not signed"));
    std::fs::remove_file(&second).unwrap();
    std::fs::write(world.folder().join("run.sh"), "echo").unwrap();
    let error = world.install().unwrap_err().to_string();
    assert!(error.contains("`run.sh`"), "{error}");
    assert!(sign(&world.folder(), &world.key()).is_err());
    std::fs::remove_file(world.folder().join("run.sh")).unwrap();
    // A link out of the folder is not followed.
    let outside = world.home.path().join("outside.toml");
    std::fs::rename(world.folder().join("acme.dead_tuples.toml"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, world.folder().join("acme.dead_tuples.toml")).unwrap();
    assert!(world.install().is_err());
}
