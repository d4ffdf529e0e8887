//! Runs runbook components.
//!
//! **In**: the bytes of a component that [`crate::trust`] vouched for, and evidence. **Out**: the component's raw assessment and the
//! requests that it made; [`super::assessment`] checks them. **Trusted**: nothing that comes out. **Can fail**: every way a guest can
//! misbehave is a [`RunbookError`]; the host goes on.
//!
//! The same component with the same input gives the same output on every run and machine: no imports but ours, fuel instead of
//! time, canonical NaN, no threads, no relaxed SIMD.

use std::sync::mpsc;
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wasmtime::{Config, Engine, OptLevel, Store, StoreLimits, StoreLimitsBuilder, Trap, WasmBacktraceDetails};

use super::bindings::pg_logstats::runbook::types as wit;
use super::cache::CodeCache;
use super::contract::{Answer, Instance, WitVersion};
use super::limits;
use super::requests::{ActionHost, RequestLog};

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
    /// It returned more than may be copied out.
    #[error("the runbook returned more than {} bytes", limits::HOSTCALL_BYTES)]
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

/// What one call used, for the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Fuel.
    pub fuel: u64,
    /// Requests made.
    pub requests: u64,
}

/// What one call gave.
#[derive(Debug)]
pub struct Called {
    /// The unchecked assessment.
    pub assessment: wit::Assessment,
    /// The requests in order, with the host's answers.
    pub requests: RequestLog,
    /// What it used.
    pub usage: Usage,
}

/// State of one store: one call, then dropped.
pub(super) struct RunState {
    limits: StoreLimits,
    pub(super) host: Option<ActionHost>,
}

/// Compiles and runs components.
pub struct RunbookEngine {
    engine: Engine,
}

impl std::fmt::Debug for RunbookEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunbookEngine").finish_non_exhaustive()
    }
}

/// A component that was loaded and whose imports are ours alone.
pub struct LoadedRunbook {
    engine: Engine,
    component: Component,
    wit_version: WitVersion,
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
            // Small instances: reserve what a guest may have, not the 4 GiB that make bounds checks free.
            .memory_init_cow(true)
            .wasm_backtrace_details(WasmBacktraceDetails::Disable)
            .generate_address_map(false);
        let engine = Engine::new(&config).map_err(|e| RunbookError::NotAComponent(first_line(&e)))?;
        Ok(Self { engine })
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
            return self.checked(component);
        }
        // Precompiled code has its own magic number; only the authenticated cache may hold it.
        if Engine::detect_precompiled(component).is_some() {
            return Err(RunbookError::NotAComponent("it is precompiled native code".to_owned()));
        }
        let compiled =
            Component::from_binary(&self.engine, component).map_err(|e| RunbookError::NotAComponent(first_line(&e)))?;
        let loaded = self.checked(compiled)?;
        if let Some(cache) = cache {
            cache.store(&self.engine, digest, &loaded.component);
        }
        Ok(loaded)
    }

    fn checked(&self, component: Component) -> Result<LoadedRunbook, RunbookError> {
        let types = component.component_type();
        // The world names types of the `types` interface; an imported type is a name for a shape and can do nothing.
        let imports = types
            .imports(&self.engine)
            .filter(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)));
        let wit_version = WitVersion::of_imports(imports.map(|(name, _)| name))?;
        Ok(LoadedRunbook {
            engine: self.engine.clone(),
            component,
            wit_version,
        })
    }
}

impl LoadedRunbook {
    /// The version of the contract that it was built for.
    pub fn wit_version(&self) -> WitVersion {
        self.wit_version
    }

    /// Calls `describe`. Requests are refused there.
    ///
    /// # Errors
    /// When the guest misbehaves.
    pub fn describe(&self) -> Result<wit::Descriptor, RunbookError> {
        let (descriptor, _) = self.call(None, Instance::describe)?;
        Ok(descriptor)
    }

    /// Calls `triage`.
    ///
    /// # Errors
    /// When the guest misbehaves or gives up.
    pub fn triage(&self, host: ActionHost, evidence: &wit::Evidence) -> Result<Called, RunbookError> {
        self.assess(host, |runbook, store| runbook.triage(store, evidence))
    }

    /// Calls `interpret`.
    ///
    /// # Errors
    /// When the guest misbehaves or gives up.
    pub fn interpret(
        &self,
        host: ActionHost,
        evidence: &wit::Evidence,
        outcome: &wit::Outcome,
    ) -> Result<Called, RunbookError> {
        self.assess(host, |runbook, store| runbook.interpret(store, evidence, outcome))
    }

    fn assess(
        &self,
        host: ActionHost,
        f: impl FnOnce(&Instance, &mut Store<RunState>) -> wasmtime::Result<Answer>,
    ) -> Result<Called, RunbookError> {
        let descriptor = host.descriptor();
        let (answer, mut state) = self.call(Some(host), f)?;
        let requests = state.host.take().map(ActionHost::into_log).unwrap_or_default();
        match answer {
            Ok(assessment) => {
                let usage = Usage {
                    fuel: state.fuel,
                    requests: requests.entries.len() as u64,
                };
                Ok(Called {
                    assessment,
                    requests,
                    usage,
                })
            }
            Err(failure) => {
                let said = descriptor.render(&failure.message, &super::requests::NoSubjects);
                Err(said.map_or_else(|e| RunbookError::BadOutput(e.to_string()), RunbookError::GaveUp))
            }
        }
    }

    fn call<T>(
        &self,
        host: Option<ActionHost>,
        f: impl FnOnce(&Instance, &mut Store<RunState>) -> wasmtime::Result<T>,
    ) -> Result<(T, FinishedState), RunbookError> {
        let store_limits = StoreLimitsBuilder::new()
            .memory_size(limits::MEMORY_BYTES)
            .table_elements(limits::TABLE_ELEMENTS)
            .instances(limits::INSTANCES)
            .memories(limits::MEMORIES)
            .tables(limits::TABLES)
            .trap_on_grow_failure(true)
            .build();
        let mut store = Store::new(
            &self.engine,
            RunState {
                limits: store_limits,
                host,
            },
        );
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(limits::HOSTCALL_BYTES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_trap();
        store.set_fuel(limits::FUEL).map_err(|e| classify(&e))?;

        let _clock = Clock::start(&self.engine);
        let runbook = Instance::new(self.wit_version, &mut store, &self.component).map_err(|e| {
            // A trap of a start function is the guest's doing; anything else is a missing or mistyped export.
            if e.downcast_ref::<Trap>().is_some() {
                classify(&e)
            } else {
                match classify(&e) {
                    RunbookError::Trapped(what) => RunbookError::WrongInterface(what),
                    other => other,
                }
            }
        })?;
        let answer = f(&runbook, &mut store).map_err(|e| classify(&e))?;
        let fuel = limits::FUEL.saturating_sub(store.get_fuel().unwrap_or(0));
        Ok((
            answer,
            FinishedState {
                host: store.into_data().host,
                fuel,
            },
        ))
    }
}

/// What is left of a store after its call.
struct FinishedState {
    host: Option<ActionHost>,
    fuel: u64,
}

/// Ends a call that takes too long: ticks the engine's epoch once, unless dropped before.
struct Clock {
    done: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Clock {
    fn start(engine: &Engine) -> Self {
        let (done, wait) = mpsc::channel::<()>();
        let engine = engine.clone();
        let thread = std::thread::Builder::new()
            .name("runbook-clock".to_owned())
            .spawn(move || {
                if wait.recv_timeout(Duration::from_millis(limits::CALL_TIME_MS))
                    == Err(mpsc::RecvTimeoutError::Timeout)
                {
                    engine.increment_epoch();
                }
            });
        // Without a thread the fuel limit still ends the call.
        Self {
            done: Some(done),
            thread: thread.ok(),
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Says which limit a wasmtime error stands for.
fn classify(error: &wasmtime::Error) -> RunbookError {
    let text = format!("{error:#}");
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => RunbookError::OutOfTime("fuel"),
        Some(Trap::Interrupt) => RunbookError::OutOfTime("call time"),
        Some(Trap::StackOverflow) => RunbookError::OutOfMemory("stack"),
        Some(Trap::AllocationTooLarge) => RunbookError::OutOfMemory("allocation"),
        Some(trap) => RunbookError::Trapped(trap.to_string()),
        // These two are plain errors in wasmtime, without a type to match on.
        None if text.contains("forcing trap when growing memory") => RunbookError::OutOfMemory("linear memory"),
        None if text.contains("forcing trap when growing table") => RunbookError::OutOfMemory("table"),
        None if text.contains("fuel allocated for hostcalls") => RunbookError::OutputTooLarge,
        None => RunbookError::Trapped(first_line(error)),
    }
}

/// The innermost cause, in one line and without control characters: names in a component are the guest's text.
fn first_line(error: &wasmtime::Error) -> String {
    let text = error.root_cause().to_string();
    let line = text.lines().next().unwrap_or_default();
    crate::untrusted::Untrusted::capped(line, 200).text().to_owned()
}
