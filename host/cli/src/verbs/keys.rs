//! `keys`.

use pg_logstats_gateway::{ExitCode, GatewayError, keys};

use crate::args::{Cli, KeysVerb};
use crate::{output, render};

pub(super) fn run(cli: &Cli, verb: &KeysVerb) -> Result<ExitCode, GatewayError> {
    match verb {
        KeysVerb::Generate { output: file } => {
            let key = keys::generate(file)?;
            output::print(cli, &key, render::key)?;
            output::hint(
                cli,
                &format!(
                    "pg-logstats: the private key is in `{}`; keep it where no agent can read it, and give the public key above to the \
                     operator, who lists it in trust.toml",
                    file.display()
                ),
            );
        }
        KeysVerb::Show { file } => output::print(cli, &keys::show(file)?, render::key)?,
    }
    Ok(ExitCode::Done)
}
