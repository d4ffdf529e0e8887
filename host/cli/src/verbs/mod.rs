//! One file per verb: arguments to request, reply to output.

mod approvals;
mod approve;
mod audit;
mod catalog;
mod evidence;
mod handoff;
mod health;
mod inspect;
mod key;
mod policy;
mod run_sql;
mod runbook;
mod triage;

use pg_logstats_gateway::request::{DatabaseChoice, LogChoice};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{ExitCode, Gateway, GatewayError, OpenOptions};

use crate::args::{Cli, DatabaseArgs, LogArgs, ReadingArgs, Verb};

/// Runs the verb that was typed.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, GatewayError> {
    match &cli.verb {
        Verb::Triage(args) => triage::run(cli, args),
        Verb::RunSql(args) => run_sql::run(cli, args),
        Verb::Inspect(args) => inspect::run(cli, args),
        Verb::Evidence(verb) => evidence::run(cli, verb),
        Verb::Health(args) => health::run(cli, args),
        Verb::Policy(verb) => policy::run(cli, verb),
        Verb::Handoff(args) => handoff::run(cli, args),
        Verb::Audit(verb) => audit::run(cli, verb),
        Verb::Runbook(verb) => runbook::run(cli, verb),
        Verb::Catalog(verb) => catalog::run(cli, verb),
        Verb::Approve(args) => approve::run(cli, args),
        Verb::Approvals(verb) => approvals::run(cli, verb),
        Verb::Key(verb) => key::run(cli, verb),
    }
}

/// Opens the gateway; in agent mode refuses what an agent may not choose.
fn open(cli: &Cli) -> Result<Gateway, GatewayError> {
    let gateway = Gateway::open(&options(cli), Trust::builtin())?;
    check_typed(cli, &gateway)?;
    Ok(gateway)
}

/// [`open`] for who takes trust away or gives it: also when an installed pack does not verify, for this is what helps then.
fn open_to_mend(cli: &Cli) -> Result<Gateway, GatewayError> {
    let gateway = Gateway::open_to_mend(&options(cli), Trust::builtin())?;
    check_typed(cli, &gateway)?;
    Ok(gateway)
}

/// For verbs that need no gateway: an agent has none of them without the operator's configuration, nor with another one.
fn check_agent(cli: &Cli) -> Result<(), GatewayError> {
    if cli.global.agent {
        open(cli)?;
    }
    Ok(())
}

fn check_typed(cli: &Cli, gateway: &Gateway) -> Result<(), GatewayError> {
    let operators = "it is what the operator's configuration says";
    for (is_typed, flag) in [
        (cli.global.typed.workspace, "--workspace"),
        (cli.global.typed.config, "--config"),
    ] {
        if is_typed {
            gateway.not_for_agents(flag, operators)?;
        }
    }
    Ok(())
}

/// In agent mode nothing that was typed or stands in the environment.
fn options(cli: &Cli) -> OpenOptions {
    let warn = (!cli.global.quiet).then_some(crate::output::warning as fn(&str));
    if cli.global.agent {
        return OpenOptions {
            agent: true,
            warn,
            ..OpenOptions::default()
        };
    }
    OpenOptions {
        workspace: cli.global.workspace.clone(),
        config: cli.global.config.clone(),
        agent: false,
        warn,
        ..OpenOptions::default()
    }
}

/// How many threads read is a limit of the machine, and not an agent's to choose.
fn check_reading(gateway: &Gateway, reading: &ReadingArgs) -> Result<(), GatewayError> {
    match reading.threads {
        0 => Ok(()),
        _ => gateway.not_for_agents("--threads", "there is one for each core"),
    }
}

/// Tells of actions that a command before this one began and did not end.
fn note_unfinished(cli: &Cli, gateway: &Gateway) -> Result<(), GatewayError> {
    let unfinished = match gateway.unfinished_actions() {
        // No action can run there; looking at the log and judging logs can go on.
        Err(uncountable @ GatewayError::Uncountable(_)) => {
            crate::output::hint(cli, &format!("pg-logstats: note: {uncountable}"));
            return Ok(());
        }
        unfinished => unfinished?,
    };
    for action in unfinished {
        crate::output::hint(cli, &format!("pg-logstats: note: {action}"));
    }
    Ok(())
}

fn input(logs: &[String], log: &LogArgs, reading: &ReadingArgs) -> LogChoice {
    LogChoice {
        logs: logs.to_vec(),
        log_line_prefix: log.log_line_prefix.clone(),
        since: reading.since.clone(),
        until: reading.until.clone(),
        threads: reading.threads,
        allow_overlap: reading.overlap.allow_overlap,
        is_baseline: false,
    }
}

fn database(args: &DatabaseArgs) -> DatabaseChoice {
    DatabaseChoice {
        dsn: args.dsn.clone(),
        name: args.database.clone(),
    }
}
