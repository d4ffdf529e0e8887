//! `key`.

use pg_logstats_gateway::keys::Grant;
use pg_logstats_gateway::{ExitCode, GatewayError, keys};

use crate::args::{Cli, KeyVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &KeyVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        KeyVerb::Generate { output: file } => {
            let key = keys::generate(file)?;
            output::print(cli, &key, render::key)?;
            output::hint(
                cli,
                &format!(
                    "pg-logstats: the private key is in `{}`; keep it where no agent can read it, and give the public key above to the \
                     operator, who trusts it with `pg-logstats key trust`",
                    file.display()
                ),
            );
        }
        KeyVerb::Show { file } => output::print(cli, &keys::show(file)?, render::key)?,
        KeyVerb::List => output::print(cli, &keys::list()?, render::trusted_keys)?,
        KeyVerb::Trust(args) => {
            let grant = Grant {
                name: &args.name,
                roles: &args.roles,
                not_before: args.not_before,
                not_after: args.not_after,
            };
            output::print(
                cli,
                &super::open_to_mend(cli)?.trust_key(&args.file, &grant)?,
                render::trusted_keys,
            )?;
        }
        KeyVerb::Rotate { holder, to, overlap } => {
            let keys = super::open_to_mend(cli)?.rotate_key(holder, to, *overlap)?;
            output::print(cli, &keys, render::trusted_keys)?;
        }
        KeyVerb::Revoke { key, reason } => {
            let keys = super::open_to_mend(cli)?.revoke_key(key, reason)?;
            output::print(cli, &keys, render::trusted_keys)?;
        }
    }
    Ok(ExitCode::Done)
}
