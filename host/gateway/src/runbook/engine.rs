//! Runs runbook components.
//!
//! **In**: the bytes of a component that [`crate::trust`] vouched for, and evidence. **Out**: the component's raw assessment and the
//! requests that it made; [`super::assessment`] checks them. **Trusted**: nothing that comes out. **Can fail**: every way a guest can
//! misbehave is a [`RunbookError`]; the host goes on.
//!
//! The same component with the same input gives the same output on every run and machine: no imports but ours, fuel instead of
//! time, canonical NaN, no threads, no relaxed SIMD.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wasmtime::{Config, Engine, OptLevel, Store, Trap, UpdateDeadline, WasmBacktraceDetails};

use super::bindings::pg_logstats::runbook::types as wit;
use super::cache::CodeCache;
use super::contract::{Answer, Instance, Prepared, WitVersion};
use super::limits;
use super::meter::{Meter, Reached};
use super::requests::{ActionHost, RequestLog};
use super::structure;
use super::usage::{HandedOver, Usage};

/// Why a runbook did not give an assessment. The runbook is to blame, and is named by the caller.
#[derive(Debug, thiserror::Error)]
pub enum RunbookError {
    /// Not a component at all.
    #[error("the file is not a WebAssembly component that this host can load: {0}")]
    NotAComponent(String),
    /// It wants more than our interface.
    #[error(
        "the component imports `{0}`; a runbook may import `pg-logstats:runbook/actions` and nothing else, so build it for \
         wasm32-unknown-unknown with the SDK"
    )]
    ForbiddenImport(String),
    /// It lacks an export, or was built for another version of the contract.
    #[error("the component is not built for a version of the contract that this host serves: {0}")]
    WrongInterface(String),
    /// It ran out of fuel or time.
    #[error("the runbook did not end within its limit ({0})")]
    OutOfTime(&'static str),
    /// It wanted more memory, table entries or stack than allowed.
    #[error("the runbook went over its memory limit ({0})")]
    OutOfMemory(&'static str),
    /// It returned, or put into its requests, more than may be copied out.
    #[error("the runbook handed over more than {} bytes", limits::HOSTCALL_BYTES)]
    OutputTooLarge,
    /// It trapped.
    #[error("the runbook trapped: {0}")]
    Trapped(String),
    /// What it said breaks a rule of the contract.
    #[error("the runbook broke its contract: {0}")]
    BadOutput(String),
    /// It gave up by itself, with a message of its descriptor.
    #[error("the runbook gave up: {0}")]
    GaveUp(String),
}

impl RunbookError {
    /// A stable code for the report.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent(_) => "not_a_component",
            Self::ForbiddenImport(_) => "forbidden_import",
            Self::WrongInterface(_) => "wrong_interface",
            Self::OutOfTime(_) => "out_of_time",
            Self::OutOfMemory(_) => "out_of_memory",
            Self::OutputTooLarge => "output_too_large",
            Self::Trapped(_) => "trapped",
            Self::BadOutput(_) => "bad_output",
            Self::GaveUp(_) => "gave_up",
        }
    }
}

/// What came of one call.
#[derive(Debug)]
pub struct Called<T> {
    /// What it gave, unchecked; or why it gave nothing.
    pub answer: Result<T, RunbookError>,
    /// The requests in order, with the host's answers; also those of a call that failed.
    pub requests: RequestLog,
    /// What it used, whether it failed or not.
    pub usage: Usage,
}

/// State of one store: one call, then dropped.
pub(super) struct RunState {
    pub(super) meter: Meter,
    pub(super) host: Option<ActionHost>,
}

/// Compiles and runs components.
pub struct RunbookEngine {
    engine: Engine,
    clock: Arc<Clock>,
}

impl std::fmt::Debug for RunbookEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunbookEngine").finish_non_exhaustive()
    }
}

/// A component that was loaded and whose imports are ours alone.
pub struct LoadedRunbook {
    engine: Engine,
    prepared: Prepared,
    /// Ticks as long as this may be called.
    _clock: Arc<Clock>,
}

impl std::fmt::Debug for LoadedRunbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedRunbook").finish_non_exhaustive()
    }
}

impl RunbookEngine {
    /// An engine with the deterministic configuration.
    ///
    /// # Errors
    /// When this machine cannot run wasmtime at all.
    pub fn new() -> Result<Self, RunbookError> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .consume_fuel(true)
            .epoch_interruption(true)
            .max_wasm_stack(limits::STACK_BYTES)
            .cranelift_opt_level(OptLevel::Speed)
            .cranelift_nan_canonicalization(true)
            .relaxed_simd_deterministic(true)
            .wasm_relaxed_simd(false)
            .wasm_memory64(false)
            .wasm_multi_memory(false)
            .memory_init_cow(true)
            .wasm_backtrace_details(WasmBacktraceDetails::Disable)
            .generate_address_map(false);
        let engine = Engine::new(&config).map_err(|e| RunbookError::NotAComponent(first_line(&e)))?;
        let clock = Arc::new(Clock::start(&engine));
        Ok(Self { engine, clock })
    }

    /// Loads `component`, from the code cache when it has it, and checks its imports before anything of it can run.
    ///
    /// # Errors
    /// When it is no component, or imports anything but our interface.
    pub fn load(
        &self,
        component: &[u8],
        digest: &[u8; 32],
        cache: Option<&CodeCache<'_>>,
    ) -> Result<LoadedRunbook, RunbookError> {
        if let Some(component) = cache.and_then(|c| c.load(&self.engine, digest)) {
            return self.checked(&component);
        }
        // Precompiled code has its own magic number; only the authenticated cache may hold it.
        if Engine::detect_precompiled(component).is_some() {
            return Err(RunbookError::NotAComponent("it is precompiled native code".to_owned()));
        }
        structure::check(component)?;
        let compiled =
            Component::from_binary(&self.engine, component).map_err(|e| RunbookError::NotAComponent(first_line(&e)))?;
        let loaded = self.checked(&compiled)?;
        if let Some(cache) = cache {
            cache.store(&self.engine, digest, &compiled);
        }
        Ok(loaded)
    }

    fn checked(&self, component: &Component) -> Result<LoadedRunbook, RunbookError> {
        let types = component.component_type();
        // The world names types of the `types` interface; an imported type is a name for a shape and can do nothing.
        let imports = types
            .imports(&self.engine)
            .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)));
        let wit_version = WitVersion::of_imports(imports.map(|(name, _)| name))?;
        let prepared =
            Prepared::new(wit_version, component).map_err(|e| RunbookError::WrongInterface(first_line(&e)))?;
        Ok(LoadedRunbook {
            engine: self.engine.clone(),
            prepared,
            _clock: Arc::clone(&self.clock),
        })
    }
}

impl LoadedRunbook {
    /// The version of the contract that it was built for.
    pub fn wit_version(&self) -> WitVersion {
        self.prepared.version()
    }

    /// Calls `describe`. Requests are refused there.
    pub fn describe(&self) -> Called<wit::Descriptor> {
        self.call(None, Instance::describe)
    }

    /// Calls `triage`.
    pub fn triage(&self, host: ActionHost, evidence: &wit::Evidence) -> Called<wit::Assessment> {
        self.assess(host, |runbook, store| runbook.triage(store, evidence))
    }

    /// Calls `interpret`.
    pub fn interpret(
        &self,
        host: ActionHost,
        evidence: &wit::Evidence,
        outcome: &wit::Outcome,
    ) -> Called<wit::Assessment> {
        self.assess(host, |runbook, store| runbook.interpret(store, evidence, outcome))
    }

    fn assess(
        &self,
        host: ActionHost,
        f: impl FnOnce(&Instance, &mut Store<RunState>) -> wasmtime::Result<Answer>,
    ) -> Called<wit::Assessment> {
        let descriptor = host.descriptor();
        let called = self.call(Some(host), f);
        let gave_up = |failure: wit::Failure| {
            let said = descriptor.render(&failure.message, &super::requests::NoSubjects);
            said.map_or_else(|e| RunbookError::BadOutput(e.to_string()), RunbookError::GaveUp)
        };
        Called {
            answer: called.answer.and_then(|answer| answer.map_err(gave_up)),
            requests: called.requests,
            usage: called.usage,
        }
    }

    /// One call in a store of its own.
    fn call<T: HandedOver>(
        &self,
        host: Option<ActionHost>,
        f: impl FnOnce(&Instance, &mut Store<RunState>) -> wasmtime::Result<T>,
    ) -> Called<T> {
        let begun = Instant::now();
        let meter = Meter::default();
        let mut store = Store::new(&self.engine, RunState { meter, host });
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits::HOSTCALL_BYTES);
        // Asked at each tick. Ticks are the engine's, and another run of it may be the one that caused this one.
        let deadline = cpu_time() + Duration::from_millis(limits::CALL_TIME_MS);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            Ok(if cpu_time() < deadline {
                UpdateDeadline::Continue(1)
            } else {
                UpdateDeadline::Interrupt
            })
        });
        let answer = self.call_in(&mut store, f);
        let fuel = limits::FUEL.saturating_sub(store.get_fuel().unwrap_or(0));
        let RunState { meter, host } = store.into_data();
        let requests = host.map(ActionHost::into_log).unwrap_or_default();
        let usage = Usage {
            fuel,
            requests: requests.entries.len() as u64,
            host_calls: meter.host_calls(),
            peak_memory_bytes: meter.peak_memory_bytes(),
            output_bytes: answer.as_ref().map_or(0, HandedOver::bytes),
            wall_time_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        Called {
            answer,
            requests,
            usage,
        }
    }

    fn call_in<T>(
        &self,
        store: &mut Store<RunState>,
        f: impl FnOnce(&Instance, &mut Store<RunState>) -> wasmtime::Result<T>,
    ) -> Result<T, RunbookError> {
        store.set_fuel(limits::FUEL).map_err(|e| classify(&e))?;
        let runbook = self.prepared.instantiate(store).map_err(|e| {
            // A trap of a start function is the guest's doing; anything else is an export of another type.
            if e.downcast_ref::<Trap>().is_some() {
                classify(&e)
            } else {
                match classify(&e) {
                    RunbookError::Trapped(what) => RunbookError::WrongInterface(what),
                    other => other,
                }
            }
        })?;
        f(&runbook, store).map_err(|e| classify(&e))
    }
}

/// How long this thread has computed, on Linux by `CLOCK_THREAD_CPUTIME_ID` of `clock_gettime(2)`.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// How often a call is asked how long it has computed.
const TICK: Duration = Duration::from_millis(250);

/// Ticks the engine's epoch from a thread of its own, until it is dropped.
struct Clock {
    /// Nothing is ever sent: the thread ends when this end is gone.
    _alive: mpsc::Sender<()>,
}

impl Clock {
    fn start(engine: &Engine) -> Self {
        let (alive, gone) = mpsc::channel::<()>();
        let engine = engine.clone();
        let ticks = move || {
            while gone.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        };
        // Without a thread the fuel limit still ends each call.
        let _ = std::thread::Builder::new()
            .name("runbook-clock".to_owned())
            .spawn(ticks);
        Self { _alive: alive }
    }
}

/// Says which limit a wasmtime error stands for.
fn classify(error: &wasmtime::Error) -> RunbookError {
    if let Some(reached) = error.downcast_ref::<Reached>() {
        return match reached {
            Reached::Memory => RunbookError::OutOfMemory("linear memory"),
            Reached::Table => RunbookError::OutOfMemory("table"),
            Reached::Host => RunbookError::OutOfMemory("the host's own memory"),
            Reached::HostCalls => RunbookError::OutOfTime("calls of the host"),
            Reached::RequestBytes => RunbookError::OutputTooLarge,
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => RunbookError::OutOfTime("fuel"),
        Some(Trap::Interrupt) => RunbookError::OutOfTime("call time"),
        Some(Trap::StackOverflow) => RunbookError::OutOfMemory("stack"),
        Some(Trap::AllocationTooLarge) => RunbookError::OutOfMemory("allocation"),
        Some(trap) => RunbookError::Trapped(trap.to_string()),
        None => match format!("{error:#}") {
            // These are plain errors in wasmtime, without a type to match on.
            text if text.contains("fuel allocated for hostcalls") => RunbookError::OutputTooLarge,
            text if text.contains("resource limit exceeded") => {
                RunbookError::OutOfMemory("number of instances, memories or tables")
            }
            _ => RunbookError::Trapped(first_line(error)),
        },
    }
}

/// The innermost cause, in one line and without control characters: names in a component are the guest's text.
fn first_line(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    let line = text.lines().next().unwrap_or_default();
    crate::untrusted::Untrusted::capped(line, 200).text().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_end_of_another_runs_time_ends_no_run() {
        let engine = RunbookEngine::new().unwrap();
        let builtin = pg_logstats_builtin::all().first().unwrap();
        let loaded = engine.load(builtin.component, &builtin.digest, None).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    engine.engine.increment_epoch();
                }
            });
            for _ in 0..50 {
                let called = loaded.describe();
                assert!(called.answer.is_ok(), "{:?}", called.answer);
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
