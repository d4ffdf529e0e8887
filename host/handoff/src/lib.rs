//! The packet of an incident, for the person who takes over: what was asked, found, done and refused, and what to do next.
//!
//! **In**: a [`Packet`], which the gateway puts together from verified records. **Out**: Markdown, and one page of HTML that needs nothing else.
//! **Trusted**: plain strings, which are the host's; [`Untrusted`] texts are anybody's, and are escaped wherever they are shown. **Can fail**: nothing.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

mod charts;
mod html;
mod markdown;
mod markup;
mod packet;
mod page;
mod sections;
mod text;
mod time;
mod tree;

pub use html::html;
pub use markdown::markdown;
pub use packet::*;
pub use text::is_deceptive;
