//! File layers for tests that hand every operation to another layer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{DirFiles, FileLayer};

/// Implements [`FileLayer`] for a type by its method `to`, which is told the name of each operation and gives the layer that does it.
macro_rules! forward {
    ($layer:ty) => {
        $crate::files::forward::forward! {
            $layer:
            read(path: &str, limit_bytes: u64) -> Vec<u8>;
            stat(path: &str) -> $crate::files::Stat;
            list(path: &str) -> Vec<$crate::files::Listed>;
            names(path: &str, beginning: &str) -> Vec<String>;
            create(path: &str, bytes: &[u8], mode: u32) -> ();
            write_new(path: &str, bytes: &[u8], mode: u32) -> ();
            overwrite(path: &str, bytes: &[u8], least_bytes: u64) -> bool;
            sync_files(paths: &[String]) -> ();
            sync_dirs(paths: &[String]) -> ();
            open_existing(path: &str) -> std::fs::File;
            open_to_read(path: &str) -> std::fs::File;
            read_at(file: &std::fs::File, offset: u64, limit_bytes: usize) -> Vec<u8>;
            write_at(file: &std::fs::File, offset: u64, bytes: &[u8]) -> ();
            sync_data(file: &std::fs::File) -> ();
            truncate(file: &std::fs::File, length: u64) -> ();
            link(from: &str, to: &str) -> ();
            rename(from: &str, to: &str) -> ();
            exchange(one: &str, other: &str) -> ();
            replace(from: &str, to: &str) -> ();
            remove(path: &str) -> ();
            remove_dir(path: &str) -> ();
            make_dir(path: &str) -> bool;
            sync_dir(path: &str) -> ();
            open_lock(path: &str) -> std::fs::File;
            is_same_file(path: &str, file: &std::fs::File) -> bool;
        }
    };
    ($layer:ty: $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        impl $crate::files::FileLayer for $layer {
            $(fn $name(&self, $($argument: $kind),*) -> std::io::Result<$result> {
                self.to(stringify!($name)).$name($($argument),*)
            })*

            fn boot_id(&self) -> Option<String> {
                self.to("boot_id").boot_id()
            }
        }
    };
}
pub(crate) use forward;

/// How often each operation was asked for.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// A layer that counts what is asked of it; its clones count together.
#[derive(Clone)]
pub(crate) struct Counted {
    inner: Arc<DirFiles>,
    counts: Arc<Mutex<Counts>>,
}

impl Counted {
    pub(crate) fn new(inner: DirFiles) -> Self {
        Self {
            inner: Arc::new(inner),
            counts: Arc::default(),
        }
    }

    /// What was asked for since the last call.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.counts.lock().unwrap())
    }

    fn to(&self, operation: &'static str) -> &dyn FileLayer {
        *self.counts.lock().unwrap().entry(operation).or_default() += 1;
        self.inner.as_ref()
    }
}

forward!(Counted);
