//! Holds one store to its limits, and remembers how far it went.
//!
//! **In**: what wasmtime asks before memories and tables grow, and each call of the host. **Out**: a yes, or a [`Reached`] that ends the
//! call at the same instruction on every machine; the peak. **Trusted**: wasmtime, to ask. **Can fail**: with [`Reached`].

use wasmtime::ResourceLimiter;

use super::limits;

/// A limit that a call went over, other than fuel, time and stack, which wasmtime counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reached {
    /// [`limits::MEMORY_BYTES`].
    #[error("the linear memories together are larger than {} bytes", limits::MEMORY_BYTES)]
    Memory,
    /// [`limits::TABLE_ELEMENTS`].
    #[error("a table has more than {} elements", limits::TABLE_ELEMENTS)]
    Table,
    /// The operating system gave nothing more. Not the guest's fault, and the one end that depends on the machine.
    #[error("the host has no more memory to give")]
    Host,
    /// [`limits::HOST_CALLS`].
    #[error("the host was called more than {} times", limits::HOST_CALLS)]
    HostCalls,
    /// [`limits::HOSTCALL_BYTES`], over all calls of the host.
    #[error("the requests have more than {} bytes together", limits::HOSTCALL_BYTES)]
    RequestBytes,
}

/// What one store took so far.
#[derive(Debug, Default)]
pub(super) struct Meter {
    memory_bytes: usize,
    peak_memory_bytes: usize,
    host_calls: u64,
    request_bytes: u64,
}

impl Meter {
    /// The most that all linear memories had together.
    pub(super) fn peak_memory_bytes(&self) -> u64 {
        self.peak_memory_bytes as u64
    }

    /// Calls of the host, those that it would not answer included.
    pub(super) fn host_calls(&self) -> u64 {
        self.host_calls
    }

    /// Counts one call of the host that handed over `bytes`.
    pub(super) fn host_called(&mut self, bytes: u64) -> Result<(), Reached> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.request_bytes = self.request_bytes.saturating_add(bytes);
        if self.host_calls > limits::HOST_CALLS {
            return Err(Reached::HostCalls);
        }
        if self.request_bytes > limits::HOSTCALL_BYTES as u64 {
            return Err(Reached::RequestBytes);
        }
        Ok(())
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A memory's own maximum is no limit of ours: `memory.grow` says -1, as the specification has it.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let memory_bytes = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        if memory_bytes > limits::MEMORY_BYTES {
            return Err(Reached::Memory.into());
        }
        self.memory_bytes = memory_bytes;
        self.peak_memory_bytes = self.peak_memory_bytes.max(memory_bytes);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // A guest that saw this would behave differently on a machine with more memory.
        Err(Reached::Host.into())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if desired > limits::TABLE_ELEMENTS {
            return Err(Reached::Table.into());
        }
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Reached::Host.into())
    }

    fn instances(&self) -> usize {
        limits::INSTANCES
    }

    fn memories(&self) -> usize {
        limits::MEMORIES
    }

    fn tables(&self) -> usize {
        limits::TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_BYTES: usize = 64 << 10;

    #[test]
    fn memories_count_together_and_the_peak_stays() {
        let mut meter = Meter::default();
        let half = limits::MEMORY_BYTES / 2;
        assert!(meter.memory_growing(0, half, None).unwrap());
        assert!(meter.memory_growing(0, half, None).unwrap());
        let error = meter.memory_growing(half, half + PAGE_BYTES, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Reached::Memory));
        assert_eq!(meter.peak_memory_bytes(), limits::MEMORY_BYTES as u64);
    }

    #[test]
    fn a_modules_own_maximum_is_no_trap() {
        let mut meter = Meter::default();
        assert!(meter.memory_growing(0, PAGE_BYTES, Some(PAGE_BYTES)).unwrap());
        assert!(!meter.memory_growing(PAGE_BYTES, usize::MAX, Some(PAGE_BYTES)).unwrap());
        assert!(!meter.table_growing(1, 3, Some(2)).unwrap());
        assert_eq!(meter.peak_memory_bytes(), PAGE_BYTES as u64);
    }

    #[test]
    fn calls_of_the_host_are_bounded_in_number_and_in_bytes() {
        let mut meter = Meter::default();
        for _ in 0..limits::HOST_CALLS {
            meter.host_called(0).unwrap();
        }
        assert_eq!(meter.host_called(0), Err(Reached::HostCalls));
        assert_eq!(meter.host_calls(), limits::HOST_CALLS + 1);
        let mut meter = Meter::default();
        meter.host_called(limits::HOSTCALL_BYTES as u64).unwrap();
        assert_eq!(meter.host_called(1), Err(Reached::RequestBytes));
    }
}
