//! Runs one input as the host runs a runbook, and says what came of it.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use pg_logstats_gateway::agent::LogAccess;
use pg_logstats_gateway::catalogue::Catalogue;
use pg_logstats_gateway::evidence_files;
use pg_logstats_gateway::report::Usage;
use pg_logstats_gateway::request::LogChoice;
use pg_logstats_gateway::runbook::bindings::pg_logstats::runbook::types::Evidence;
use pg_logstats_gateway::runbook::requests::ActionHost;
use pg_logstats_gateway::runbook::{
    CheckedDescriptor, LoadedRunbook, RunbookEngine, RunbookError, assessment, convert, limits,
};
use pg_logstats_gateway::snapshot::EvidenceSnapshot;
use pg_logstats_gateway::subjects::Subjects;
use pg_logstats_logs::Redaction;
use sha2::{Digest as _, Sha256};

/// Two calls at their limit, twice, and compiling, in processor time: on a busy machine, the clock would find slowness that is no input's.
pub(crate) const INPUT_TIME: Duration = Duration::from_secs(60);

/// The same by the clock, for an input that waits for something and computes nothing.
const INPUT_WAIT: Duration = Duration::from_secs(3_600);

/// How often an input is asked how long it has taken.
const TICK: Duration = Duration::from_secs(1);

/// The whole process. One run has 64 MiB of its own and 16 MiB to hand over; the rest is the compiler.
pub(crate) const PEAK_BYTES: u64 = 1 << 30;

/// Calls that use less fuel are made twice.
const REPEATED_FUEL: u64 = 20_000_000;

/// What all inputs are given.
pub(crate) struct Oracle {
    engine: RunbookEngine,
    evidence: Evidence,
    subjects: Arc<Subjects>,
    catalogue: Arc<Catalogue>,
}

impl Oracle {
    /// With the evidence of the demo's log.
    pub(crate) fn new() -> Self {
        let choice = LogChoice {
            logs: vec![pg_logstats_tests::fixture("shop.log").display().to_string()],
            threads: 1,
            ..LogChoice::default()
        };
        let part = evidence_files::reduce(&choice, &LogAccess::Anywhere, &|_| ()).expect("the fixture is a log");
        let snapshot = EvidenceSnapshot::from_logs(part.evidence(&Redaction::least()), None);
        Self {
            engine: RunbookEngine::new().expect("this machine runs wasmtime"),
            evidence: convert::evidence(&snapshot),
            subjects: Arc::new(Subjects::new(&snapshot, &[])),
            catalogue: Arc::new(Catalogue::builtin().expect("the built-in catalogue loads").clone()),
        }
    }

    /// The end of `bytes`: a failure's code, or `assessed`.
    ///
    /// # Panics
    /// When something does not hold that must hold of every input.
    pub(crate) fn judge(&self, bytes: &[u8]) -> String {
        match self.run(bytes) {
            Ok(()) => "assessed".to_owned(),
            Err(error) => {
                assert!(!error.to_string().contains('\n'), "more than a line: {error}");
                error.code().to_owned()
            }
        }
    }

    fn run(&self, bytes: &[u8]) -> Result<(), RunbookError> {
        let digest = Sha256::digest(bytes).into();
        let loaded = self.engine.load(bytes, &digest, None)?;
        let described = loaded.describe();
        within_limits(&described.usage);
        if described.usage.fuel < REPEATED_FUEL {
            let again = loaded.describe();
            assert_eq!(format!("{:?}", described.answer), format!("{:?}", again.answer));
            assert_eq!(settled(described.usage), settled(again.usage));
        }
        let broke = |breach: &dyn std::fmt::Display| RunbookError::BadOutput(breach.to_string());
        let descriptor = Arc::new(CheckedDescriptor::new(&described.answer?).map_err(|e| broke(&e))?);
        let called = self.triage(&loaded, &descriptor, digest);
        within_limits(&called.usage);
        if called.usage.fuel < REPEATED_FUEL {
            let again = self.triage(&loaded, &descriptor, digest);
            assert_eq!(format!("{:?}", called.answer), format!("{:?}", again.answer));
            assert_eq!(called.requests, again.requests);
            assert_eq!(settled(called.usage), settled(again.usage));
        }
        let assessment = called.answer?;
        assessment::check(&assessment, &descriptor, &called.requests, &self.subjects).map_err(|e| broke(&e))?;
        Ok(())
    }

    fn triage(
        &self,
        loaded: &LoadedRunbook,
        descriptor: &Arc<CheckedDescriptor>,
        seed: [u8; 32],
    ) -> pg_logstats_gateway::runbook::Called<
        pg_logstats_gateway::runbook::bindings::pg_logstats::runbook::types::Assessment,
    > {
        let host = ActionHost::new(
            Arc::clone(descriptor),
            Arc::clone(&self.subjects),
            Arc::clone(&self.catalogue),
            seed,
        );
        loaded.triage(host, &self.evidence)
    }
}

fn settled(usage: Usage) -> Usage {
    Usage {
        wall_time_us: 0,
        ..usage
    }
}

fn within_limits(usage: &Usage) {
    assert!(usage.fuel <= limits::FUEL, "{usage:?}");
    assert!(usage.peak_memory_bytes <= limits::MEMORY_BYTES as u64, "{usage:?}");
    assert!(usage.requests <= limits::REQUESTS as u64, "{usage:?}");
    assert!(usage.host_calls <= limits::HOST_CALLS + 1, "{usage:?}");
    // What is handed over is bounded in bytes as the guest has them; a word or a flag takes at most eight here.
    assert!(usage.output_bytes <= 8 * limits::HOSTCALL_BYTES as u64, "{usage:?}");
}

/// How long this process has computed.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().expect("no process has computed less than nothing")
}

/// Ends the process when an input takes too long, and leaves the input.
pub(crate) struct Watch {
    done: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(current: &Path) -> Self {
        let (done, wait) = mpsc::channel::<()>();
        let current = current.to_owned();
        let (begun, computed) = (Instant::now(), processor_time());
        let thread = std::thread::spawn(move || {
            while wait.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                if processor_time() > computed + INPUT_TIME || begun.elapsed() > INPUT_WAIT {
                    eprintln!("no end after {INPUT_TIME:?}: {}", current.display());
                    std::process::exit(1);
                }
            }
        });
        Self {
            done: Some(done),
            thread: Some(thread),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
