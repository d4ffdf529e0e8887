//! What runbooks about statements, locks and live servers share: the actions that look into one, and the judgement of what these return.
//!
//! **In**: outcomes of the actions in [`words`]. **Out**: insights read from columns by name and from plans node by node; the offers of
//! what else there is to see. **Trusted**: numbers and ids. The text in the evidence is never read. **Can fail**: never; what cannot
//! be judged is said as a limitation.
//!
//! This is no runbook: it exports nothing. A runbook that uses it lists its [`words`] and [`messages`] in its own descriptor, because the
//! descriptor is the manifest. [`outcome`], [`tree`], [`live`], [`activity`], [`slots`] and [`prepared`] have words and messages of their own.

#![forbid(unsafe_code)]

pub mod activity;
mod interpret;
pub mod live;
pub mod messages;
pub mod offers;
pub mod outcome;
pub mod prepared;
pub mod scores;
pub mod slots;
pub mod temp_files;
pub mod tree;
pub mod words;

pub use interpret::{frame, interpret, judge, judge_figures, judge_plan, judge_sessions, look_further, work_mem_for};

use pg_logstats_sdk::{Assessment, Evidence};

/// What logs without times or durations cannot show.
pub fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    if evidence.window.is_none() {
        assessment.limitation(messages::no_logs());
    } else if evidence.total_executions == 0 {
        assessment.limitation(messages::no_durations());
    }
}
