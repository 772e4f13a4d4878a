//! Time limits for a connection, below HTTP.
//!
//! The framework limits the time of a connection's first head, the guard that of requests, and keep-alive the silence
//! between them. Nothing limits a *second* head that stops half-way: with one request and one more byte, a client could
//! hold a connection and its buffer for ever. So this layer watches the bytes, with two rules that do not depend on
//! their meaning:
//! * bytes from the client must be followed by an answer, or part of one, within the time a request may take;
//! * a connection without any transfer is closed some time after keep-alive should have closed it.
//!
//! Time is counted in ticks as long as the first rule's limit, so that a connection needs one timer and does not read
//! the clock on each transfer. A connection is cut after one to two ticks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The limits, in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    tick: Duration,
    idle_ticks: u32,
}

impl Patience {
    /// `request` is the longest time between the first byte of a request and the first byte of its answer, `keep_alive`
    /// how long the layer above keeps an idle connection.
    pub(super) fn new(request: Duration, keep_alive: Duration) -> Self {
        let tick = request.max(Duration::from_secs(1));
        let idle_ticks = u32::try_from(keep_alive.as_secs().div_ceil(tick.as_secs())).unwrap_or(u32::MAX);
        Self { tick, idle_ticks: idle_ticks.saturating_add(1) }
    }
}

/// A connection with time limits; once it is cut, reads return its end.
pub(super) struct Patient<T> {
    io: T,
    patience: Patience,
    tick: Pin<Box<Sleep>>,
    record: Record,
}

/// The transfers since the last tick.
#[derive(Debug, Default)]
struct Record {
    /// The client has sent bytes, or a write was blocked, and nothing has been written since.
    waiting: bool,
    /// Counts writes: each ends a spell of waiting.
    spell: u32,
    /// The spell that was waiting at the last tick.
    seen: Option<u32>,
    moved: bool,
    idle_ticks: u32,
    cut: bool,
}

impl Record {
    fn received(&mut self) {
        self.waiting = true;
        self.moved = true;
    }

    fn sent(&mut self) {
        self.waiting = false;
        self.moved = true;
        self.spell = self.spell.wrapping_add(1);
    }

    /// Called at each tick; cuts the connection if a limit is exceeded.
    fn tick(&mut self, idle_ticks: u32) {
        let now_waiting = self.waiting.then_some(self.spell);
        self.cut = now_waiting.is_some() && now_waiting == self.seen;
        self.seen = now_waiting;
        self.idle_ticks = if self.moved { 0 } else { self.idle_ticks + 1 };
        self.cut |= self.idle_ticks > idle_ticks;
        self.moved = false;
    }
}

impl<T> Patient<T> {
    pub(super) fn new(io: T, patience: Patience) -> Self {
        Self { io, patience, tick: Box::pin(tokio::time::sleep(patience.tick)), record: Record::default() }
    }

    /// Whether the connection is cut. Called when reading or writing is pending; registers the wake-up for the next
    /// tick.
    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        while !self.record.cut && self.tick.as_mut().poll(cx).is_ready() {
            self.record.tick(self.patience.idle_ticks);
            self.tick.as_mut().reset(Instant::now() + self.patience.tick);
        }
        self.record.cut
    }

    /// Records the result of a write.
    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => self.record.sent(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.record.waiting = true;
                if self.is_cut(cx) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.record.cut {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buffer) {
            Poll::Pending if self.is_cut(cx) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.record.received();
                }
                Poll::Ready(read)
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Event {
        Received,
        Sent,
        Tick,
    }

    #[test]
    fn connections_are_cut_for_keeping_us_waiting_and_for_nothing_else() {
        use Event::{Received, Sent, Tick};
        let rows: [(&str, &[Event], bool); 9] = [
            ("silence within bounds", &[Tick, Tick, Tick], false),
            ("silence beyond", &[Tick, Tick, Tick, Tick], true),
            ("an answer within a tick", &[Received, Sent, Tick, Tick], false),
            ("an answer across a tick", &[Received, Tick, Sent, Tick, Tick], false),
            ("no answer", &[Received, Tick, Tick], true),
            ("a drip", &[Received, Tick, Received, Tick], true),
            ("a new request at each tick", &[Received, Tick, Sent, Received, Tick, Sent, Received, Tick], false),
            ("half a head after an answer", &[Received, Sent, Received, Tick, Received, Tick], true),
            ("half a head that came with the request", &[Received, Sent, Tick, Tick, Tick, Tick, Tick], true),
        ];
        for (name, events, cut) in rows {
            let mut record = Record::default();
            for event in events {
                match event {
                    Received => record.received(),
                    Sent => record.sent(),
                    Tick => record.tick(3),
                }
            }
            assert_eq!(record.cut, cut, "{name}: {record:?}");
        }
    }
}
