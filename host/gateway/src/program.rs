//! Programs of the operator's, which the configuration or the command line names: signers, ways to witnesses, takers of checkpoints.
//!
//! **In**: a program with its arguments, its standard input, how long it may take. **Out**: the beginning of its standard output. **Trusted**:
//! the operator, to name it; of what it writes nothing. **Can fail**: with a sentence; a program that does not end is killed.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Runs a program of the operator's with `input`; returns the first `most_bytes` of its standard output. What it says beside that may be
/// anything, and is not read.
pub(crate) fn run(command: &[String], input: &[u8], timeout: Duration, most_bytes: u64) -> Result<Vec<u8>, String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let failed = |doing: &str, error: std::io::Error| format!("cannot {doing} `{program}`: {error}");
    let deadline = Instant::now() + timeout;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed("start", error))?;
    let answered = answer_of(&mut child, input.to_vec(), timeout, most_bytes);
    let ended = answered.and_then(|answer| {
        wait(&mut child, deadline)
            .map_err(|error| failed("wait for", error))
            .map(|status| (answer, status))
    });
    match ended {
        Ok((answer, Some(status))) if status.success() => Ok(answer),
        Ok((_, Some(status))) => Err(format!("`{program}` failed ({status})")),
        late => {
            let _ = child.kill();
            let _ = child.wait();
            let late_ms = timeout.as_millis();
            late.and_then(|_| Err(format!("`{program}` did not end within {late_ms} ms")))
        }
    }
}

/// Writes and reads in a thread of its own, because a program may do neither for ever.
fn answer_of(child: &mut Child, input: Vec<u8>, timeout: Duration, most_bytes: u64) -> Result<Vec<u8>, String> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the program has no standard input and output".to_owned());
    };
    let (done, answer) = mpsc::channel();
    std::thread::spawn(move || {
        // A program that does not read to the end says so by how it ends.
        let _ = stdin.write_all(&input);
        drop(stdin);
        let mut bytes = Vec::new();
        let read = stdout.take(most_bytes).read_to_end(&mut bytes);
        let _ = done.send(read.map(|_| bytes));
    });
    match answer.recv_timeout(timeout) {
        Ok(read) => read.map_err(|error| format!("its answer cannot be read: {error}")),
        Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
    }
}

fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<std::process::ExitStatus>> {
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
