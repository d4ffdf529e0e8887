//! `runbook new`: a project that builds and passes its own tests as it is.
//!
//! **In**: a name, a language, where the SDK is. **Out**: a folder that is whole or not there: it is made under a hidden name and renamed.
//! **Trusted**: the templates in this binary. **Can fail**: on a name that no runbook can have, a folder that is not empty, or where there
//! is no SDK.
//!
//! The fixtures are made by this host out of logs that stand in the template, so that they are in the form that it reads. The snapshots are
//! files of the template: what its runbook says of them.

use std::path::{Path, PathBuf};

use pg_logstats_logs::{Options, Part, Redaction, Source, reduce};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fixtures::RecordedRun;
use super::project::Language;
use super::{AuthorError, build};
use crate::catalogue::{Action, Catalogue};
use crate::outcome::{ActionOutcome, Cell, OUTCOME_VERSION, RecordedOutcome, Row};
use crate::report::SCHEMA_VERSION;
use crate::snapshot::EvidenceSnapshot;
use crate::untrusted::escape_control;
use crate::words::OutcomeStatus;

/// The action whose outcome is in the template.
const ACTION: &str = "query_family.pg_stat_statements.by_queryid";
/// The longest name: the descriptor takes 80, and a file has to fit.
const NAME_CHARS: usize = 60;
/// Where this binary was built from.
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");
/// Names that cargo or the compiler would take for something else.
const TAKEN: [&str; 60] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "pg-logstats-sdk",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "wit-bindgen",
    "yield",
    "build",
];

/// Make a project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// The runbook's name, and its workflow's.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// The new folder; one with the runbook's name when none.
    pub folder: Option<PathBuf>,
    /// The folder of the SDK; that of the sources of this binary when none.
    pub sdk: Option<PathBuf>,
}

/// A project that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookProject {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The runbook's name.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// The project's folder.
    pub folder: String,
    /// Its files, relative to it.
    pub files: Vec<String>,
}

/// Where the SDK is when nobody says so: in the sources that this binary was built from.
pub fn default_sdk() -> PathBuf {
    Path::new(SOURCES).join("../../guest-sdk")
}

/// Makes a project.
///
/// # Errors
/// When the name cannot be used, the folder is not empty, or there is no SDK; then nothing is made.
pub fn new(request: &NewRequest, catalogue: &Catalogue) -> Result<RunbookProject, AuthorError> {
    let name = checked_name(&request.name)?;
    let folder = request.folder.clone().unwrap_or_else(|| PathBuf::from(name));
    let folder = std::path::absolute(&folder).map_err(AuthorError::io("find the folder", &folder))?;
    check_free(&folder)?;
    let mut files = match request.language {
        Language::Rust => rust(name, &sdk(request.sdk.as_deref())?)?,
        Language::JavaScript if request.sdk.is_some() => {
            return Err(AuthorError::Usage(
                "--sdk is for Rust; a JavaScript project has no SDK, and brings its copy of the contract along"
                    .to_owned(),
            ));
        }
        Language::JavaScript => javascript(name),
    };
    files.extend(fixtures(catalogue)?);
    put(&folder, &files)?;
    Ok(RunbookProject {
        schema_version: SCHEMA_VERSION,
        name: name.to_owned(),
        language: request.language,
        folder: folder.display().to_string(),
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

fn checked_name(name: &str) -> Result<&str, AuthorError> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let reason = if !name.split('-').all(is_word) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "write lower-case words joined by `-`, such as `slow-checkout`".to_owned()
    } else if name.len() > NAME_CHARS {
        format!("it has {} characters, and {NAME_CHARS} are the most", name.len())
    } else if TAKEN.contains(&name) {
        "the word has a meaning in Rust; add another one, such as `-runbook`".to_owned()
    } else {
        return Ok(name);
    };
    Err(AuthorError::Name {
        name: escape_control(name).chars().take(80).collect(),
        reason,
    })
}

fn check_free(folder: &Path) -> Result<(), AuthorError> {
    let not_empty = || AuthorError::NotEmpty {
        folder: folder.display().to_string(),
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(not_empty()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Err(not_empty()),
        Err(error) => Err(AuthorError::io("look into the folder", folder)(error)),
    }
}

fn sdk(named: Option<&Path>) -> Result<PathBuf, AuthorError> {
    let place = named.map_or_else(default_sdk, Path::to_owned);
    let manifest = std::fs::read_to_string(place.join("Cargo.toml")).unwrap_or_default();
    let found = place.canonicalize().ok();
    found
        .filter(|_| manifest.contains("name = \"pg-logstats-sdk\""))
        .ok_or_else(|| AuthorError::NoSdk {
            place: std::path::absolute(&place).unwrap_or(place).display().to_string(),
        })
}

type Files = Vec<(String, Vec<u8>)>;

fn rust(name: &str, sdk: &Path) -> Result<Files, AuthorError> {
    let place = sdk
        .to_str()
        .filter(|place| !place.contains(['\'', '\n']))
        .ok_or_else(|| {
            AuthorError::Usage(format!(
                "the path of the SDK `{}` cannot be written into a Cargo.toml; give another one with --sdk",
                sdk.display()
            ))
        })?;
    let filled = |text: &str| text.replace("{{name}}", name).replace("{{sdk}}", place).into_bytes();
    let mut files = vec![
        (
            "Cargo.toml".to_owned(),
            filled(include_str!("template/rust/Cargo.toml.in")),
        ),
        (
            "README.md".to_owned(),
            filled(include_str!("template/rust/README.md.in")),
        ),
        (".gitignore".to_owned(), filled("/target\n")),
        ("src/lib.rs".to_owned(), filled(include_str!("template/rust/lib.rs.in"))),
        (
            "src/tests.rs".to_owned(),
            filled(include_str!("template/rust/tests.rs.in")),
        ),
    ];
    // The versions that the SDK was tested with; cargo takes out what the project does not need.
    if let Ok(lock) = std::fs::read(sdk.join("../Cargo.lock")) {
        files.push(("Cargo.lock".to_owned(), lock));
    }
    Ok(files)
}

fn javascript(name: &str) -> Files {
    let files = [
        ("package.json", include_str!("template/js/package.json.in")),
        // Its packages depend on ranges of others, and one of these once left out what another needs.
        ("package-lock.json", include_str!("template/js/package-lock.json.in")),
        ("README.md", include_str!("template/js/README.md.in")),
        (".gitignore", "/build\n/node_modules\n"),
        ("logic.js", include_str!("template/js/logic.js.in")),
        ("runbook.js", include_str!("template/js/runbook.js.in")),
        ("test/logic.test.js", include_str!("template/js/logic.test.js.in")),
        ("wit/runbook.wit", include_str!("../../../../wit/0.2.0/runbook.wit")),
        ("wit/types.wit", include_str!("../../../../wit/0.2.0/types.wit")),
    ];
    let filled = files.map(|(path, text)| (path.to_owned(), text.replace("{{name}}", name).into_bytes()));
    filled.into()
}

/// Evidence with statements, evidence without any, and what an action returned; with what the template's runbook says of each.
fn fixtures(catalogue: &Catalogue) -> Result<Files, AuthorError> {
    let statements = part("statements.log", include_str!("template/statements.log"))?;
    let quiet = part("quiet.log", include_str!("template/quiet.log"))?;
    let mut files = Vec::new();
    for (name, part) in [("statements", &statements), ("quiet", &quiet)] {
        let mut json = Vec::new();
        part.write(&Redaction::default(), &mut json)
            .map_err(|e| AuthorError::Usage(e.to_string()))?;
        files.push((format!("fixtures/{name}.json"), json));
    }
    let snapshot = EvidenceSnapshot::from_logs(statements.evidence(&Redaction::default()), None);
    let outcome = catalogue.get(ACTION).and_then(|action| outcome(&snapshot, action));
    let run = RecordedRun::new(snapshot, outcome);
    let mut json = serde_json::to_vec(&run).map_err(|e| AuthorError::Usage(e.to_string()))?;
    json.push(b'\n');
    files.push(("fixtures/counted.json".to_owned(), json));
    for (name, text) in [
        ("statements", include_str!("template/snapshots/statements.json")),
        ("quiet", include_str!("template/snapshots/quiet.json")),
        ("counted", include_str!("template/snapshots/counted.json")),
    ] {
        files.push((format!("snapshots/{name}.json"), text.as_bytes().to_vec()));
    }
    Ok(files)
}

fn part(name: &str, log: &'static str) -> Result<Part, AuthorError> {
    let source = Source::stream(name.to_owned(), Box::new(std::io::Cursor::new(log.as_bytes())));
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    reduce(vec![source], &options, &|_| ()).map_err(|e| AuthorError::Usage(e.to_string()))
}

/// What a server would have counted of the first family.
fn outcome(snapshot: &EvidenceSnapshot, action: &Action) -> Option<RecordedOutcome> {
    let family = snapshot.log.as_ref()?.families.first()?;
    let cell = |column: &str| match column {
        "queryid" => family
            .query_ids
            .first()
            .map_or(Cell::Null, |id| Cell::Text(id.to_string())),
        "calls" => Cell::Int(1_240),
        "total_exec_ms" => Cell::Float(1_054_000.5),
        "mean_exec_ms" => Cell::Float(850.0),
        _ => Cell::Null,
    };
    let columns: Vec<String> = action.columns.iter().map(|column| column.name.clone()).collect();
    Some(RecordedOutcome {
        outcome_version: OUTCOME_VERSION,
        target_id: action.id.clone(),
        subjects: vec![family.id.clone()],
        outcome: ActionOutcome {
            status: OutcomeStatus::Ok,
            sqlstate: None,
            detail: None,
            rows: vec![Row {
                cells: columns.iter().map(|column| cell(column)).collect(),
                session: None,
                sequence: None,
                object: None,
            }],
            columns,
            plan: Vec::new(),
            duration_us: 2_300,
            bytes: 180,
        },
    })
}

/// Writes `files` below `folder`, all of them or none.
fn put(folder: &Path, files: &Files) -> Result<(), AuthorError> {
    let parent = folder.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).map_err(AuthorError::io("make the folder", parent))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(folder.file_name().unwrap_or_default());
    hidden.push(format!(".{}.partial", std::process::id()));
    let hidden = folder.with_file_name(hidden);
    let made = files
        .iter()
        .try_for_each(|(name, bytes)| build::replace(&hidden.join(name), bytes))
        // Onto an empty folder this works as onto none; onto one that was filled meanwhile it fails.
        .and_then(|()| std::fs::rename(&hidden, folder).map_err(AuthorError::io("make the folder", folder)));
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&hidden);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_joined_by_hyphens() {
        for good in ["a", "slow-checkout", "vacuum-2"] {
            assert!(checked_name(good).is_ok(), "{good}");
        }
        let long = "a".repeat(NAME_CHARS + 1);
        for bad in [
            "",
            "-",
            "a-",
            "-a",
            "a--b",
            "A",
            "a_b",
            "2fast",
            "a/b",
            "../a",
            "a b",
            "é",
            "test",
            "fn",
            "a\u{1b}[31m",
            &long,
        ] {
            let error = checked_name(bad).unwrap_err().to_string();
            assert!(
                error.contains("cannot be the name") && !error.contains('\u{1b}'),
                "{error}"
            );
        }
    }

    fn request(folder: &Path) -> NewRequest {
        NewRequest {
            name: "night-watch".to_owned(),
            language: Language::Rust,
            folder: Some(folder.to_owned()),
            sdk: None,
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let catalogue = Catalogue::builtin().unwrap();
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("mine");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("kept"), "x").unwrap();
        let error = new(&request(&folder), catalogue).unwrap_err();
        assert!(matches!(error, AuthorError::NotEmpty { .. }), "{error}");
        let error = new(&request(&folder.join("kept")), catalogue).unwrap_err();
        assert!(matches!(error, AuthorError::NotEmpty { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing half-made");
        std::fs::remove_file(folder.join("kept")).unwrap();
        new(&request(&folder), catalogue).unwrap();
        assert!(folder.join("src/lib.rs").is_file());
    }

    #[test]
    fn without_an_sdk_nothing_is_made() {
        let catalogue = Catalogue::builtin().unwrap();
        let home = tempfile::tempdir().unwrap();
        let request = NewRequest {
            sdk: Some(home.path().to_owned()),
            ..request(&home.path().join("mine"))
        };
        let error = new(&request, catalogue).unwrap_err().to_string();
        assert!(error.contains("--sdk"), "{error}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
