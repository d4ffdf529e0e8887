//! A progress bar on stderr for long input.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pg_logstats_gateway::Progress;

/// Input that is read faster than this needs no bar.
const SHOW_AFTER: Duration = Duration::from_millis(700);

/// Shows how far reading is, when stderr is a terminal and it takes a while.
pub(crate) struct LogProgress {
    bar: ProgressBar,
    started: Instant,
    quiet: bool,
}

impl LogProgress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            started: Instant::now(),
            quiet,
        }
    }

    pub(crate) fn update(&self, progress: Progress) {
        if self.quiet || self.started.elapsed() < SHOW_AFTER {
            return;
        }
        if self.bar.is_hidden() {
            // indicatif draws nothing when stderr is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        }
        if let Some(total) = progress.bytes_total
            && self.bar.length() != Some(total)
        {
            self.bar.set_length(total);
            if let Ok(style) =
                ProgressStyle::with_template("reading logs {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec}")
            {
                self.bar.set_style(style);
            }
        }
        self.bar.set_position(progress.bytes_read);
    }
}

impl Drop for LogProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
