//! A progress bar for a transfer that lasts longer than a second, on a terminal only.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use faults::Direction;
use indicatif::{ProgressBar, ProgressStyle};
use transfer::record::Progress;

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);
/// How many ticks a transfer may take before it gets a bar: a second.
const PATIENCE: u32 = 10;

/// A bar that goes when this is dropped.
pub(super) struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    bar: Bar,
}

/// The bar that is shown now, if any.
#[derive(Clone, Default)]
pub(super) struct Bar(Arc<Mutex<Option<ProgressBar>>>);

impl Bar {
    /// Takes it off the screen, so that something else can be printed.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    fn show(&self, direction: Direction, done: u64, total: u64) {
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = new_bar(direction_text(direction), total);
            bar.set_position(done);
            // What was done before it was shown did not take no time.
            bar.reset_eta();
            bar
        });
        bar.set_position(done);
    }
}

/// Watches `progress` and draws, if standard error is a terminal and nobody wants it `quiet`.
pub(super) fn watch(progress: Arc<Progress>, quiet: bool) -> Option<Watch> {
    if quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    let (stop, stopped) = channel();
    let bar = Bar::default();
    let shown = bar.clone();
    let thread = std::thread::spawn(move || draw(&progress, &stopped, &shown));
    Some(Watch { stop: Some(stop), thread: Some(thread), bar })
}

impl Watch {
    /// The bar.
    pub(super) fn bar(&self) -> Bar {
        self.bar.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The bar is gone before anything else is printed. A panic while drawing is not worth passing on.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn draw(progress: &Progress, stopped: &Receiver<()>, bar: &Bar) {
    let (mut transfer, mut ticks) = (0, 0);
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let Some((number, direction, done, total)) = progress.current() else { continue };
        if number != transfer {
            (transfer, ticks) = (number, 0);
            bar.clear();
        }
        ticks += 1;
        if ticks >= PATIENCE && done < total {
            bar.show(direction, done, total);
        }
    }
    bar.clear();
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
