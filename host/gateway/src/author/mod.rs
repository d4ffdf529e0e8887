//! What the author of a runbook needs: a project, its component, its tests, and a look at what a component can ever ask for.
//!
//! **In**: the folder of a project, a component, a sealed report. **Out**: plain replies; nothing is sealed, and no database is asked.
//! **Trusted**: the project's author, whose code is compiled and whose tests run on this machine as with any `cargo test`; never the
//! component, which runs in the same engine under the same limits as in a triage. **Can fail**: with [`AuthorError`]; what is wrong
//! with a runbook is a [`Problem`] in the reply of [`test()`], and not an error.
//!
//! ```text
//! NAME/fixtures/*.json[.zst]   evidence files (`evidence export`), and recorded runs (`runbook record`)
//! NAME/snapshots/*.json        what the runbook said of each; renewed by `runbook test --bless`
//! ```

mod bench;
mod build;
mod check;
mod difference;
mod error;
mod explain;
mod fixtures;
mod lint;
mod native;
mod project;
mod record;
mod replay;
mod said;
mod scaffold;
mod test;
mod watch;

pub use build::{BuildRequest, RunbookBuild, build};
pub use check::{FixtureResult, SnapshotState};
pub use difference::{Change, Difference};
pub use error::AuthorError;
pub use explain::{DeclaredAction, DeclaredMessage, RunbookExplanation, explain};
pub use lint::Problem;
pub use project::Language;
pub use record::{RecordRequest, RunbookRecording};
pub use replay::{ReplayRequest, RunbookReplay};
pub use said::{DeniedRequest, Said, SaidAction, SaidStep};
pub use scaffold::{NewRequest, RunbookProject, default_sdk, new};
pub use test::{RunbookTest, TestRequest, test};
pub use watch::State;
