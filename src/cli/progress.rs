//! What a person at a terminal sees while something takes long; nothing on a pipe.

use std::time::Duration;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

/// A bar of bytes, of as many as are known to come.
pub(super) fn bytes(bar: &ProgressBar, length: Option<u64>) {
    if let Some(length) = length {
        bar.set_length(length);
        styled(bar, "{bar:40} {bytes}/{total_bytes} {msg} {eta}");
    }
    draw(bar);
}

/// A bar of records.
pub(super) fn records(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    styled(&bar, "{bar:40} {pos}/{len} records {eta}");
    draw(&bar);
    bar
}

/// Something whose end is not known.
pub(super) fn work(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    styled(&bar, "{spinner} {msg} {elapsed}");
    bar.set_message(what);
    draw(&bar);
    bar
}

fn styled(bar: &ProgressBar, template: &str) {
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
}

fn draw(bar: &ProgressBar) {
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
}
