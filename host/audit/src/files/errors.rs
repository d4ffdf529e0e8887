//! Errors of the file layer. In: paths, or an error. Out: an error, or what it is about. Nothing fails.

use std::io;

/// Whether an error says that something other than a plain file stands there.
pub(crate) fn is_not_plain(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
        || error.get_ref().is_some_and(|inner| inner.is::<NotPlain>())
}

/// Whether an error says that there is no more room: disk, quota or the largest file size allowed.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a plain {1} (a link, for example)")]
struct NotPlain(String, &'static str);

pub(super) fn not_plain(path: &str) -> io::Error {
    io::Error::other(NotPlain(path.to_owned(), "file"))
}

pub(super) fn not_a_folder(path: &str) -> io::Error {
    io::Error::other(NotPlain(path.to_owned(), "folder"))
}

pub(super) fn too_large(path: &str, limit_bytes: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("`{path}` is larger than {limit_bytes} bytes"),
    )
}
