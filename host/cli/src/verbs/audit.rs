//! `audit`.

use std::net::TcpListener;

use pg_logstats_gateway::audit::Selection;
use pg_logstats_gateway::audit::log_key;
use pg_logstats_gateway::audit::proofs::{self, ProofRequest};
use pg_logstats_gateway::audit::witness::WitnessHost;
use pg_logstats_gateway::signer::server::Server;
use pg_logstats_gateway::{ExitCode, GatewayError, audit};

use crate::args::{AuditVerb, Cli, SelectionArgs};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &AuditVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        AuditVerb::Verify { public_key, since } => {
            if cli.global.agent {
                let gateway = super::open(cli)?;
                if !public_key.is_empty() {
                    gateway.not_for_agents("--public-key", "an auditor keeps the key that proves something")?;
                }
                if since.is_some() {
                    gateway.not_for_agents("--since", "an auditor keeps the checkpoint that proves something")?;
                }
            }
            let workspace = super::options(cli).workspace()?;
            let verification = audit::verify(workspace.as_deref(), public_key, since.as_deref())?;
            output::print(cli, &verification, render::verification)?;
            if public_key.is_empty() {
                output::hint(
                    cli,
                    "pg-logstats: note: verified with the key that lies in the workspace; for proof, give --public-key with a copy \
                     that was kept elsewhere",
                );
            }
            Ok(if verification.verified {
                ExitCode::Done
            } else {
                ExitCode::Unverified
            })
        }
        AuditVerb::List(args) => {
            let gateway = super::open(cli)?;
            super::note_unfinished(cli, &gateway)?;
            output::print(cli, &gateway.audit_list(selection(args))?, render::audit_list)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Timeline(args) => {
            let gateway = super::open(cli)?;
            super::note_unfinished(cli, &gateway)?;
            output::print(cli, &gateway.timeline(selection(args))?, render::timeline)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Prove {
            record_id,
            output: file,
            policy,
        } => {
            let gateway = super::open(cli)?;
            match file {
                Some(file) => gateway.prove_to(record_id, policy.as_deref(), file)?,
                None => output::write(&gateway.prove(record_id, policy.as_deref())?)?,
            }
            Ok(ExitCode::Done)
        }
        AuditVerb::VerifyProof {
            proof,
            public_key,
            record,
            policy,
        } => {
            not_for_agents(cli, "audit verify-proof", "it reads files of the caller's choice")?;
            let proven = proofs::verify_proof(ProofRequest {
                proof,
                public_keys: public_key,
                record: record.as_deref(),
                policy: policy.as_deref(),
            })?;
            output::print(cli, &proven, render::proven)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Export {
            output: file,
            selection: args,
            policy,
        } => {
            let exported = super::open(cli)?.audit_export(selection(args), policy.as_deref(), file)?;
            output::print(cli, &exported, render::audit_export)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::VerifyExport {
            file,
            public_key,
            policy,
        } => {
            not_for_agents(cli, "audit verify-export", "it reads files of the caller's choice")?;
            let verification = audit::export::verify(file, public_key, policy.as_deref())?;
            output::print(cli, &verification, render::export_verification)?;
            Ok(if verification.verified {
                ExitCode::Done
            } else {
                ExitCode::Unverified
            })
        }
        AuditVerb::Cosign { policy, post } => {
            let cosigned = super::open(cli)?.cosign(policy, post)?;
            output::print(cli, &cosigned, render::cosigned)?;
            Ok(if cosigned.quorum {
                ExitCode::Done
            } else {
                ExitCode::Failed
            })
        }
        AuditVerb::Witness(args) => {
            not_for_agents(cli, "audit witness", "a witness is another host's operator")?;
            let host = WitnessHost::open(&args.state, &args.key, &args.name, &args.log)?;
            let Some(address) = args.listen else {
                host.answer_one()?;
                return Ok(ExitCode::Done);
            };
            let failed = |error| GatewayError::Usage(format!("--listen {address}: {error}"));
            let listener = TcpListener::bind(address).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            output::hint(
                cli,
                &format!("pg-logstats: witness {} on http://{address} until stopped", host.vkey()),
            );
            match host.serve(&listener, output::warning)? {}
        }
        AuditVerb::Checkpoint => {
            output::write(&super::open(cli)?.checkpoint()?)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::RotateKey { reason } => {
            not_for_agents(cli, "audit rotate-key", "the log's key is the operator's")?;
            let changed = log_key::rotate(&super::options(cli), reason)?;
            output::print(cli, &changed, render::log_key)?;
            output::hint(
                cli,
                "pg-logstats: processes that run on have to be started anew; give auditors the new public key (`audit public-key`), though \
                 the old one leads to it",
            );
            Ok(ExitCode::Done)
        }
        AuditVerb::DeclareCompromised {
            key_id,
            since_index,
            reason,
        } => {
            let declared = super::open(cli)?.declare_compromised(key_id, *since_index, reason)?;
            output::print(cli, &declared, render::log_key)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Erase { evidence, reason } => {
            output::print(
                cli,
                &super::open(cli)?.erase_evidence(evidence, reason)?,
                render::erasure,
            )?;
            Ok(ExitCode::Done)
        }
        AuditVerb::Signer { key, socket, allow_uid } => {
            not_for_agents(cli, "audit signer", "the log's key is the operator's")?;
            let server = Server::bind(socket, key, allow_uid)?;
            output::hint(
                cli,
                &format!(
                    "pg-logstats: signing with the key {} on `{}` until stopped",
                    server.key_id(),
                    socket.display()
                ),
            );
            match server.run()? {}
        }
        AuditVerb::Show { record_id } => {
            let record = super::open(cli)?.audit_show(record_id)?;
            output::print(cli, &record, render::json_text)?;
            Ok(ExitCode::Done)
        }
        AuditVerb::PublicKey { vkey } => {
            let gateway = super::open(cli)?;
            let key = if *vkey {
                gateway.vkey()
            } else {
                gateway.public_key_pem()?
            };
            output::write(&key)?;
            Ok(ExitCode::Done)
        }
    }
}

/// Refuses a verb that needs no gateway otherwise; the refusal is recorded.
fn not_for_agents(cli: &Cli, what: &str, reason: &str) -> Result<(), GatewayError> {
    match cli.global.agent {
        true => super::open(cli)?.not_for_agents(what, reason),
        false => Ok(()),
    }
}

fn selection(args: &SelectionArgs) -> Selection<'_> {
    Selection {
        incident: args.incident.as_deref(),
        since: args.since,
        denied: args.denied,
    }
}
