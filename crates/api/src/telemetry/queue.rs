//! The queue between log events and standard error.
//!
//! A pipe without a reader takes 64 KiB and then blocks the writer: a worker with all its requests. So lines go into a
//! bounded queue, and a separate thread writes them. A line that finds the queue full is dropped and counted: answering
//! requests matters more than logging, and events that must not be lost are in the audit trail.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The capacity in bytes: some ten thousand lines.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How long the process waits at its end for lines to be written.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The writer for lines. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Queue {
    lines: Sender<Vec<u8>>,
    state: Arc<State>,
}

/// The state shared with the thread.
#[derive(Debug, Default)]
struct State {
    /// Bytes in the queue.
    waiting: AtomicUsize,
    dropped: AtomicU64,
    /// The number of lines not written yet; `finish` waits until it is 0.
    unwritten: Mutex<usize>,
    written: Condvar,
}

/// How many lines were dropped, for metrics.
#[derive(Clone, Debug)]
pub struct Dropped(Arc<State>);

impl Dropped {
    /// The number of lines dropped since the start.
    pub fn count(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Queue {
    /// A queue with a thread that writes the lines to `target`, one write per line.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn before(target: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, queued) = channel();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(target, &queued, &shared))?;
        Ok(Self { lines, state })
    }

    /// How many lines were dropped.
    pub fn dropped(&self) -> Dropped {
        Dropped(Arc::clone(&self.state))
    }

    /// Waits until all lines are written, for a bounded time because standard error may have no reader.
    pub fn finish(&self) {
        let unwritten = self.state.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.state.written.wait_timeout_while(unwritten, LAST_WAIT, |unwritten| *unwritten > 0));
    }

    /// Adds a line, or drops it.
    fn take(&self, line: &[u8]) {
        let before = self.state.waiting.fetch_add(line.len(), Ordering::Relaxed);
        if before + line.len() > MOST_BYTES {
            self.drop_line(line.len());
            return;
        }
        *self.state.unwritten.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if self.lines.send(line.to_vec()).is_err() {
            self.state.done();
            self.drop_line(line.len());
        }
    }

    fn drop_line(&self, bytes: usize) {
        self.state.waiting.fetch_sub(bytes, Ordering::Relaxed);
        self.state.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl State {
    /// Counts a line as written.
    fn done(&self) {
        *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.written.notify_all();
    }
}

fn write(mut target: impl Write, queued: &Receiver<Vec<u8>>, state: &State) {
    while let Ok(line) = queued.recv() {
        // Standard error is closed or temporarily full: this line is lost, and the next one is tried.
        if target.write_all(&line).and_then(|()| target.flush()).is_err() {
            state.dropped.fetch_add(1, Ordering::Relaxed);
        }
        state.waiting.fetch_sub(line.len(), Ordering::Relaxed);
        state.done();
    }
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Queue {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;

    /// A pipe that blocks writers until its reader takes a line.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.send(line.to_vec()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_and_what_is_lost_is_counted() {
        let (pipe, reader) = sync_channel(1);
        let mut queue = Queue::before(Pipe(pipe)).unwrap();
        let dropped = queue.dropped();
        let line = vec![b'x'; 64 * 1024];
        let most = MOST_BYTES / line.len();
        // A queue that waited for the reader would block this loop for ever.
        for _ in 0..most + 100 {
            queue.write_all(&line).unwrap();
        }
        let lost = dropped.count();
        assert!((97..=100).contains(&lost), "{lost}: the pipe and its writer hold a line or two");
        let read = (0..most + 100 - usize::try_from(lost).unwrap()).filter(|_| reader.recv().is_ok()).count();
        assert_eq!(read + usize::try_from(lost).unwrap(), most + 100, "every line was read or counted");
        queue.write_all(b"again\n").unwrap();
        assert_eq!(reader.recv().unwrap(), b"again\n", "there is room again");
        queue.finish();
        assert_eq!(dropped.count(), lost);
    }

    #[test]
    fn the_end_waits_for_lines_but_not_for_a_reader_that_is_gone() {
        let (pipe, reader) = sync_channel(8);
        let mut queue = Queue::before(Pipe(pipe)).unwrap();
        queue.write_all(b"last words\n").unwrap();
        queue.finish();
        assert_eq!(reader.try_recv().unwrap(), b"last words\n");
        drop(reader);
        queue.write_all(b"to nobody\n").unwrap();
        queue.finish();
        assert_eq!(queue.dropped().count(), 1);
    }
}
