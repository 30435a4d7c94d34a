//! A progress bar for a transfer that lasts longer than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sim::record::{Direction, Progress};

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);
/// How many ticks a transfer may take before it gets a bar: a second.
const PATIENCE: u32 = 10;

/// A bar that goes when this is dropped.
pub(super) struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Watches `progress` and draws, if standard error is a terminal.
pub(super) fn watch(progress: Arc<Progress>) -> Option<Watch> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let (stop, stopped) = channel();
    let thread = std::thread::spawn(move || draw(&progress, &stopped));
    Some(Watch { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The bar is gone before anything else is printed. A panic while drawing is not worth passing on.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn draw(progress: &Progress, stopped: &Receiver<()>) {
    let (mut transfer, mut ticks, mut bar) = (0, 0, None);
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let Some((number, direction, done, total)) = progress.current() else { continue };
        if number != transfer {
            (transfer, ticks) = (number, 0);
            clear(bar.take());
        }
        ticks += 1;
        if ticks >= PATIENCE {
            bar.get_or_insert_with(|| new_bar(direction_text(direction), total)).set_position(done);
        }
    }
    clear(bar);
}

fn clear(bar: Option<ProgressBar>) {
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn direction_text(direction: Direction) -> &'static str {
    match direction {
        Direction::Upload => "upload",
        Direction::Download => "download",
    }
}

/// A bar for this many bytes, on standard error; where that is no terminal, it is not seen.
pub(super) fn new_bar(message: &'static str, total: u64) -> ProgressBar {
    let template = "{msg:8} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(message)
}
