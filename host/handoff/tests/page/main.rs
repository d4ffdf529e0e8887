//! The packet's page and its Markdown: against files, against hostile texts, and in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod browser;
mod golden;
mod hostile;
mod packets;
mod structure;
