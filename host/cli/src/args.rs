//! What can be typed.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use pg_logstats_gateway::approvals::{self, SignedDuration};
use pg_logstats_gateway::author::{AuthorError, Language};
use pg_logstats_gateway::keys::{self, Timestamp};
use pg_logstats_gateway::trust::Role;

/// Runbook-driven triage gateway between AI agents and PostgreSQL.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied, 4 a signature or the audit log does not verify.
#[derive(Debug, Parser)]
#[command(name = "pg-logstats", version, propagate_version = true, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Folder for the audit log, the key and the evidence [default: $XDG_DATA_HOME/pg-logstats]
    #[arg(long, global = true, value_name = "FOLDER", env = "PG_LOGSTATS_WORKSPACE")]
    pub(crate) workspace: Option<PathBuf>,
    /// A configuration that holds together with the operator's own (/etc/pg-logstats/config.toml, else
    /// $XDG_CONFIG_HOME/pg-logstats/config.toml)
    #[arg(long, global = true, value_name = "FILE", env = "PG_LOGSTATS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Agent mode: databases by name, and everything else from the operator's configuration; also PG_LOGSTATS_AGENT=1, which no flag
    /// takes back
    #[arg(long, global = true, overrides_with = "agent")]
    pub(crate) agent: bool,
    /// Which of the above were typed, rather than taken from the environment.
    #[arg(skip)]
    pub(crate) typed: Typed,
    /// How to print the result [default: text on a terminal, json elsewhere]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Flags that were typed, where it matters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Typed {
    pub(crate) workspace: bool,
    pub(crate) config: bool,
}

impl Cli {
    /// Reads the command line; ends the process when it makes no sense, or asks for help.
    pub(crate) fn read() -> Self {
        let is_agent = pg_logstats_gateway::agent::is_in_environment() || std::env::args_os().any(|it| it == "--agent");
        let matches = command(is_agent).get_matches();
        let mut cli = match Self::from_arg_matches(&matches) {
            Ok(cli) => cli,
            Err(error) => error.exit(),
        };
        let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        cli.global.typed = Typed {
            workspace: is_typed("workspace"),
            config: is_typed("config"),
        };
        cli.global.agent |= pg_logstats_gateway::agent::is_in_environment();
        if cli.global.agent
            && let Some(verb) = granting_verb(&matches)
        {
            // As for a verb that there is not: for an agent there is none.
            Self::command()
                .error(
                    ErrorKind::InvalidSubcommand,
                    format!("unrecognized subcommand '{verb}' (there is none in agent mode)"),
                )
                .exit();
        }
        cli
    }
}

/// Verbs that give trust or permission, or make what gives it. An agent has none of them.
const GRANTING: &[(&str, &[&str])] = &[
    ("approvals", &["add"]),
    ("approve", &[]),
    ("catalog", &["sign", "install", "remove"]),
    ("key", &[]),
    ("runbook", &["sign", "install", "remove", "revoke"]),
];

/// The command line; an agent's help names no verb that it does not have.
fn command(is_agent: bool) -> clap::Command {
    let mut command = Cli::command();
    if !is_agent {
        return command;
    }
    for (verb, subverbs) in GRANTING {
        command = command.mut_subcommand(verb, |verb| match subverbs {
            [] => verb.hide(true),
            subverbs => subverbs
                .iter()
                .fold(verb, |verb, name| verb.mut_subcommand(name, |it| it.hide(true))),
        });
    }
    command
}

/// The verb that was typed, if it is one that agents do not have.
fn granting_verb(matches: &clap::ArgMatches) -> Option<String> {
    let (verb, matches) = matches.subcommand()?;
    let (_, subverbs) = GRANTING.iter().find(|(name, _)| *name == verb)?;
    match (subverbs, matches.subcommand_name()) {
        ([], _) => Some(verb.to_owned()),
        (subverbs, Some(subverb)) if subverbs.contains(&subverb) => Some(subverb.to_owned()),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
    Text,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Judge logs by a runbook: ranked findings and next actions
    Triage(TriageArgs),
    /// Run one action of a report against the database
    RunSql(RunSqlArgs),
    /// Tell what there is to work with, and what to change so that there is more
    Inspect(InspectArgs),
    /// Reduce logs to evidence files where they lie, and merge them
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// Take the database's health verdict
    Health(HealthArgs),
    /// Look at the operator's rules
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Look at and verify the audit log
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Hand an incident over to a person: what was asked, found, done and refused, and what to do next
    Handoff(HandoffArgs),
    /// Write, test, sign, verify, install and revoke runbooks, and look at them
    #[command(subcommand)]
    Runbook(RunbookVerb),
    /// As a person: approve one run of an action that the policy lets nobody run without
    Approve(ApproveArgs),
    /// Keep approvals in the workspace, and look at them
    #[command(subcommand)]
    Approvals(ApprovalsVerb),
    /// Look at the actions that can run against a database; sign, install and remove packs of them
    #[command(subcommand)]
    Catalog(CatalogVerb),
    /// Make the keys that people sign with, and say whose signatures count
    #[command(subcommand, visible_alias = "keys")]
    Key(KeyVerb),
}

#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Connection URL or keyword string; goes before PG_LOGSTATS_DATABASE_URL and the configuration
    #[arg(long, value_name = "DSN", hide_env_values = true)]
    pub(crate) dsn: Option<String>,
    /// A database of the configuration, by name
    #[arg(long, value_name = "NAME", conflicts_with = "dsn")]
    pub(crate) database: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Take it again and again, until interrupted: one line each
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds from one verdict to the next
    #[arg(long, value_name = "SECONDS", requires = "watch", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub(crate) interval: u16,
    /// End after so many verdicts
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The server's log_line_prefix; detected when not given (stderr logs only)
    #[arg(long, value_name = "PREFIX", allow_hyphen_values = true)]
    pub(crate) log_line_prefix: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadingArgs {
    /// Only entries from then on: RFC 3339, or how long ago (`2h`, `30m`, `3d`)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only entries up to then
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Threads for reading logs [default: one for each core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,
    #[command(flatten)]
    pub(crate) overlap: OverlapArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OverlapArgs {
    /// Count entries that several inputs hold once for each, instead of refusing; the evidence says so
    #[arg(long)]
    pub(crate) allow_overlap: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Compare with logs or evidence files of a better time; once for each
    #[arg(long = "baseline", value_name = "LOG", allow_hyphen_values = true)]
    pub(crate) baseline: Vec<String>,
    /// Of the baseline, only entries from then on
    #[arg(long, value_name = "TIME", requires = "baseline")]
    pub(crate) baseline_since: Option<String>,
    /// Of the baseline, only entries up to then
    #[arg(long, value_name = "TIME", requires = "baseline")]
    pub(crate) baseline_until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Write to a new file instead of stdout; compressed when its name ends in `.zst`
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Keep one statement with its values for each query family: EXPLAIN ANALYZE needs it, and it holds data of tables
    #[arg(long)]
    pub(crate) samples: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Reduce logs to an evidence file, to be triaged on another host
    Export {
        /// Log files or folders, or `-` for standard input
        #[arg(required = true, value_name = "LOG")]
        logs: Vec<String>,
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        reading: ReadingArgs,
        #[command(flatten)]
        out: OutputArgs,
    },
    /// Merge evidence files into one
    Merge {
        /// Evidence files, or folders of them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        #[command(flatten)]
        out: OutputArgs,
        #[command(flatten)]
        overlap: OverlapArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TriageArgs {
    /// The workflow (see `runbook list`; without one, a first look at everything), then logs or evidence files, folders of them, or `-` for
    /// standard input; with --runbook, logs only
    #[arg(value_name = "WORKFLOW] [LOG")]
    pub(crate) inputs: Vec<String>,
    /// A runbook component instead of a built-in one; it must be trusted
    #[arg(long, value_name = "FILE")]
    pub(crate) runbook: Option<String>,
    /// Start from an alert, the payload of an Alertmanager webhook (`-` for standard input): it chooses the database, the window and the
    /// runbook where nothing else does
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) alert: Option<String>,
    /// Follow this report's incident; without logs, judge its evidence again
    #[arg(long, value_name = "REPORT_ID")]
    pub(crate) parent_report: Option<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) baseline: BaselineArgs,
    /// Most findings to show; the summary always counts everything
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HandoffArgs {
    /// The incident, or a report of it
    #[arg(value_name = "INCIDENT_ID")]
    pub(crate) incident: String,
    /// JSON, Markdown, or one page that needs nothing else [default: by the ending of --output, else markdown]
    #[arg(long, value_name = "FORM", value_parser = ["json", "markdown", "html"])]
    pub(crate) form: Option<String>,
    /// Write to a new file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunSqlArgs {
    /// The report that offers the action, by id
    #[arg(long, value_name = "REPORT_ID")]
    pub(crate) triage_report: String,
    /// The action, by its id in the report
    #[arg(long, value_name = "ACTION_ID")]
    pub(crate) action_id: String,
    /// Choose among the values that the report offers for a parameter
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter, allow_hyphen_values = true)]
    pub(crate) parameters: Vec<(String, String)>,
    /// A person's approval of this run, by its id in the workspace
    #[arg(long, value_name = "APPROVAL_ID")]
    pub(crate) approval: Option<String>,
    /// Most findings to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Log files or folders, or `-` for standard input
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Tell for each action what it would do, and why: needs no connection to the database
    Check {
        /// A database of the configuration, by name [default: as for every command]
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Check every record, entry, tile and the checkpoint
    Verify {
        /// SPKI PEM of a key to trust, any of those that the log ever had; may be repeated [default: the workspace's own, which proves less]
        #[arg(long, value_name = "FILE")]
        public_key: Vec<PathBuf>,
        /// An earlier checkpoint that was kept elsewhere (`audit checkpoint`): prove that the log continues it
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// List the records
    List(SelectionArgs),
    /// Tell who did what when, a line for each record
    Timeline(SelectionArgs),
    /// Print one verified record
    Show {
        /// Its id
        record_id: String,
    },
    /// Print the public key that verifies the log
    PublicKey {
        /// In the form that policies of witnesses take
        #[arg(long)]
        vkey: bool,
    },
    /// Make a proof that a record stands in the log, for whoever has the public key
    Prove {
        /// The record's id: a report's, a refusal's
        record_id: String,
        /// The new file [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Under the newest checkpoint that the witnesses of this policy cosigned
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Verify such a proof; needs no log
    VerifyProof {
        /// The proof
        proof: PathBuf,
        /// SPKI PEM of a key to trust; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        public_key: Vec<PathBuf>,
        /// The record's file: prove that it is the one in the log, too
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// The witnesses that must have cosigned the log
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Write records with their proofs and keys to one file, for an auditor
    Export {
        /// The new file, a tar archive; compressed when its name ends in `.zst`
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        selection: SelectionArgs,
        /// With proofs under the newest checkpoint that the witnesses of this policy cosigned
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Verify such a file; needs no log
    VerifyExport {
        /// The file
        file: PathBuf,
        /// SPKI PEM of a key to trust, any of those that the log ever had; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        public_key: Vec<PathBuf>,
        /// The witnesses that must have cosigned the log
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// As the operator: have witnesses cosign the newest checkpoint
    Cosign {
        /// The witnesses, and how many are enough (C2SP tlog-policy)
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// A program that takes each request on standard input and the address as its last argument, and writes the answer and, as the
        /// last line, its HTTP status [default: HTTP, without TLS]
        #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true)]
        post: Vec<String>,
    },
    /// Be a witness of other hosts' logs
    Witness(WitnessArgs),
    /// Print the newest checkpoint: a few lines to keep elsewhere, to which the log can be held later
    Checkpoint,
    /// As the operator: give the log another key, the signer of the configuration or a new key file; both keys sign that
    RotateKey {
        /// Why, in one line; it is recorded
        #[arg(long)]
        reason: String,
    },
    /// As the operator: declare that an earlier key of the log was in wrong hands
    DeclareCompromised {
        /// The key's id
        key_id: String,
        /// The first record under it that proves nothing, by its index
        #[arg(long, value_name = "INDEX")]
        since_index: u64,
        /// Why, in one line; it is recorded
        #[arg(long)]
        reason: String,
    },
    /// As the operator: erase evidence; all records and proofs stay
    Erase {
        /// Which: SHA-256 of the evidence, as records name it
        #[arg(long, value_name = "DIGEST")]
        evidence: String,
        /// Why, in one line; it is recorded
        #[arg(long)]
        reason: String,
    },
    /// Hold a log's key for other processes, on a Unix socket, until stopped
    Signer {
        /// The private key (see `key generate`)
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The socket to make
        #[arg(long, value_name = "PATH")]
        socket: PathBuf,
        /// Id of a user who may ask, besides the one that this runs as; may be repeated
        #[arg(long, value_name = "UID")]
        allow_uid: Vec<u32>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct WitnessArgs {
    /// A folder of its own, in which it remembers what it cosigned; never to be put back from a copy
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: PathBuf,
    /// Its private key, used for nothing else (see `key generate`)
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Its name in signatures, a host name for example
    #[arg(long)]
    pub(crate) name: String,
    /// Key of a log to witness (`audit public-key --vkey`); may be repeated
    #[arg(long, value_name = "VKEY", required = true)]
    pub(crate) log: Vec<String>,
    /// Answer by HTTP there until stopped [default: one request on standard input]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SelectionArgs {
    /// Only what belongs to one incident
    #[arg(long, value_name = "INCIDENT_ID")]
    pub(crate) incident: Option<String>,
    /// Only what was recorded from then on (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Only what was refused
    #[arg(long)]
    pub(crate) denied: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunbookVerb {
    /// List the runbooks that run here, and those that are installed and do not
    List {
        /// What their runs used and how they failed, by the workspace's audit log
        #[arg(long)]
        usage: bool,
    },
    /// As its author or a reviewer: sign a runbook, beside the signatures that it has
    Sign {
        /// The component; its signatures are in FILE.dsse
        file: PathBuf,
        /// Your private key (see `key generate`)
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Tell whether runbooks would be trusted here, and install nothing
    Verify {
        /// A component with its FILE.dsse beside it, a folder of such pairs, or an OCI image layout
        path: PathBuf,
    },
    /// As the operator: install signed runbooks, in place of earlier versions of them
    Install {
        /// A component with its FILE.dsse beside it, a folder of such pairs, or an OCI image layout
        path: PathBuf,
        /// Also a version that is older than what was installed here
        #[arg(long)]
        allow_downgrade: bool,
    },
    /// As the operator: remove an installed runbook
    Remove {
        /// Its name
        name: String,
    },
    /// As the operator: let no action of a runbook run any more, from the next one on
    Revoke(RevokeArgs),
    /// As an author: make a project that builds and passes its tests as it is
    New(NewRunbookArgs),
    /// As an author: make the component of a project
    Build(ProjectArgs),
    /// As an author: run a project's own tests, then its component on its fixtures, against its snapshots
    Test(TestRunbookArgs),
    /// As an author: test again at every change
    Watch(WatchRunbookArgs),
    /// Show all that a component can ever ask for, with its SQL, and all that it can say
    Explain {
        /// The component
        #[arg(value_name = "FILE.wasm")]
        file: PathBuf,
    },
    /// As an author: make a fixture of a sealed report
    Record(RecordRunbookArgs),
    /// Run a component on what a sealed report's runbook was given, and compare
    Replay {
        /// The report
        report_id: String,
        /// The component: the one that made the report, or another one
        #[arg(value_name = "FILE.wasm")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewRunbookArgs {
    /// Lower-case words joined by `-`; also the workflow's name
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = Lang::Rust)]
    pub(crate) lang: Lang,
    /// The new folder [default: NAME, in the current one]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,
    /// The folder `guest-sdk` of pg-logstats' sources [default: that of the sources that this program was built from]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sdk: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Rust,
    /// With componentize-js, which needs Node.js
    Js,
    /// Not possible yet; says why
    Python,
}

impl TryFrom<Lang> for Language {
    type Error = AuthorError;

    fn try_from(lang: Lang) -> Result<Self, AuthorError> {
        match lang {
            Lang::Rust => Ok(Self::Rust),
            Lang::Js => Ok(Self::JavaScript),
            Lang::Python => Err(Self::no_python()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// The project
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TestRunbookArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Write what the runbook says now into the snapshots
    #[arg(long)]
    pub(crate) bless: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WatchRunbookArgs {
    #[command(flatten)]
    pub(crate) test: TestRunbookArgs,
    /// End after so many tests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct RecordRunbookArgs {
    /// The report
    pub(crate) report_id: String,
    /// The new file, compressed where its name ends in `.zst`
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Keep one statement with its values for each query family
    #[arg(long)]
    pub(crate) samples: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// An installed or built-in runbook by its name, or any by its digest (`sha256:…`)
    #[arg(
        required_unless_present = "signed",
        conflicts_with = "signed",
        value_name = "RUNBOOK",
        requires = "key"
    )]
    pub(crate) what: Option<String>,
    /// Why, in one line
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// Your private key; it needs the role author, approver or release
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Take a revocation that was signed elsewhere (`envelope` of what this command printed there)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reason", "key"])]
    pub(crate) signed: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The refusal that `run-sql` printed, in a file
    #[arg(value_name = "REQUEST")]
    pub(crate) request: PathBuf,
    /// The approver's private key (see `key generate`)
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// How long the agent may wait before it uses the approval: `90s`, `15m`, at most `24h`
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = approvals::validity)]
    pub(crate) valid_for: SignedDuration,
    /// Write the approval to a new file, for `approvals add`, instead of keeping it in the workspace
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Sign although the values of the logged statement that would be run are not at hand here to be shown
    #[arg(long)]
    pub(crate) unseen_sample: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalsVerb {
    /// Keep a signed approval in the workspace
    Add {
        /// What `approve --output` wrote
        file: PathBuf,
    },
    /// List the approvals of the workspace, with what each is worth now
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogVerb {
    /// List the actions
    List,
    /// Show all of one action: what it binds, reads and needs, its limits, and its SQL for each version of the server
    Show {
        /// Its id
        #[arg(value_name = "ACTION")]
        action: String,
    },
    /// As its author: check a pack and sign it
    Sign {
        /// Folder with pack.toml and the files of the actions
        folder: PathBuf,
        /// The author's private key (see `key generate`)
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// As the operator: install a signed pack, in place of an earlier version of it
    Install {
        /// Folder of the pack
        folder: PathBuf,
        /// Take a version that is older than one that was installed, or another pack with the same version
        #[arg(long)]
        allow_downgrade: bool,
    },
    /// As the operator: remove a pack
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a key pair: the private half goes to a new file of mode 0600, the public half is printed
    Generate {
        /// The new file
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print the public half and the id of a key
    Show {
        /// A private or public key, PEM
        file: PathBuf,
    },
    /// List the keys of the operator's trust store, with what each is worth now
    List,
    /// As the operator: let the signatures of a key count
    Trust(TrustArgs),
    /// As the operator: give the holder of a key a new one, beside which the old one counts for a while
    Rotate {
        /// The holder, or the id of the old key
        holder: String,
        /// The new public key, PEM
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// How long the old key counts yet: `7d`, `12h`, `0s`. What it signed counts as long
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = keys::overlap)]
        overlap: SignedDuration,
    },
    /// As the operator: let nothing count that a key signed, whenever that was
    Revoke {
        /// The holder, for all of his keys, or the id of one
        key: String,
        /// Why, in one line
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// The public key, PEM
    pub(crate) file: PathBuf,
    /// Its holder, as you call him: letters, digits, @ . _ -
    #[arg(long)]
    pub(crate) name: String,
    /// What it may sign: author, approver (runbooks and approvals), catalogue (packs), release; once for each
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = str::parse::<Role>)]
    pub(crate) roles: Vec<Role>,
    /// From when on it counts, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<Timestamp>,
    /// Until when it counts, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) not_after: Option<Timestamp>,
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name before `=` is empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
