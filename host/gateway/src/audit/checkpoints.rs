//! Every new checkpoint, sent to where whoever could change the log cannot reach: a file, the system's log, a program.
//!
//! **In**: the signed note. **Out**: what could not be sent, in words. **Trusted**: the operator's configuration. **Can fail**: each way
//! by itself; the record that made the checkpoint is durable already, so a checkpoint that cannot be sent is told and no failure. The
//! next one covers it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::config::CheckpointExport;
use crate::program;

/// How long a program may take over one checkpoint.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(5);

/// What a program may say before its pipe is closed. Nothing of it is read.
const PROGRAM_SAYS_BYTES: u64 = 64 << 10;

/// The system's log, facility local0 and severity notice (RFC 5424, 6.2.1).
const PRIORITY: u8 = 16 * 8 + 5;

/// Sends `note` wherever `export` says; returns what could not be sent.
pub(crate) fn send(export: &CheckpointExport, note: &str) -> Vec<String> {
    let CheckpointExport { file, syslog, command } = export;
    let file = file
        .as_deref()
        .map(|file| to_file(file, note).map_err(|error| format!("`audit.export.file` `{}`: {error}", file.display())));
    let syslog = syslog.as_deref().map(|socket| {
        to_syslog(socket, note).map_err(|error| format!("`audit.export.syslog` `{}`: {error}", socket.display()))
    });
    let command = command.as_deref().map(|command| {
        let sent = program::run(command, note.as_bytes(), PROGRAM_TIMEOUT, PROGRAM_SAYS_BYTES);
        sent.map(|_| ())
            .map_err(|error| format!("`audit.export.command`: {error}"))
    });
    [file, syslog, command]
        .into_iter()
        .flatten()
        .filter_map(Result::err)
        .collect()
}

/// In one write to the end of the file, so that two processes do not mix: each note, and an empty line.
fn to_file(file: &Path, note: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o644);
    let mut file = options.open(file)?;
    file.write_all(format!("{note}\n").as_bytes())?;
    file.sync_data()
}

/// One datagram: the note with its line ends as `\n`.
fn to_syslog(socket: &Path, note: &str) -> std::io::Result<()> {
    let message = format!(
        "<{PRIORITY}>pg-logstats[{}]: checkpoint {}",
        std::process::id(),
        note.replace('\n', "\\n")
    );
    let sender = UnixDatagram::unbound()?;
    sender.set_write_timeout(Some(PROGRAM_TIMEOUT))?;
    sender.send_to(message.as_bytes(), socket).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "pg-logstats/audit\n1\nAAAA\n\n\u{2014} pg-logstats/audit BBBB\n";

    #[test]
    fn a_checkpoint_goes_to_a_file_the_systems_log_and_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let socket = UnixDatagram::bind(at("log")).unwrap();
        let script = format!("cat >>'{}'", at("program").display());
        let export = CheckpointExport {
            file: Some(at("file")),
            syslog: Some(at("log")),
            command: Some(["sh", "-c", &script].map(str::to_owned).to_vec()),
        };
        for _ in 0..2 {
            assert_eq!(send(&export, NOTE), Vec::<String>::new());
        }
        assert_eq!(
            std::fs::read_to_string(at("file")).unwrap(),
            format!("{NOTE}\n{NOTE}\n")
        );
        assert_eq!(std::fs::read_to_string(at("program")).unwrap(), format!("{NOTE}{NOTE}"));
        let mut datagram = [0; 1024];
        let length = socket.recv(&mut datagram).unwrap();
        let said = String::from_utf8_lossy(&datagram[..length]).into_owned();
        assert!(said.starts_with("<133>pg-logstats["), "{said}");
        assert!(said.ends_with("]: checkpoint pg-logstats/audit\\n1\\nAAAA\\n\\n\u{2014} pg-logstats/audit BBBB\\n"));
    }

    #[test]
    fn each_way_fails_by_itself_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let export = CheckpointExport {
            file: Some(folder.path().join("no/file")),
            syslog: Some(folder.path().join("no/log")),
            command: Some(["sh", "-c", "exit 4"].map(str::to_owned).to_vec()),
        };
        let failed = send(&export, NOTE).join("\n");
        for said in [
            "audit.export.file",
            "audit.export.syslog",
            "audit.export.command`: `sh` failed (exit status: 4)",
        ] {
            assert!(failed.contains(said), "{failed}");
        }
        assert_eq!(send(&CheckpointExport::default(), NOTE), Vec::<String>::new());
    }
}
