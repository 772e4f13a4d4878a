//! A limit on how long a connection may keep the server waiting, under everything HTTP.
//!
//! The framework times the first head of a connection, the guard times requests, and keep-alive times silence between
//! them. Nothing times a *second* head that stops half-way: such a connection stayed open for ever, at the cost of a
//! buffer, for a client that sends one request and one byte. So the bytes themselves are watched, with two rules that hold
//! whatever the bytes mean:
//! * what a client has sent must be followed by an answer, or part of one, within the time a request may take;
//! * a connection on which nothing moves ends some time after keep-alive would have ended it.
//!
//! Time is counted in ticks of the length of the first rule, so that a connection costs one timer and no look at the
//! clock when bytes move. A connection is cut after one to two ticks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long to wait, in ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    tick: Duration,
    idle_ticks: u32,
}

impl Patience {
    /// `request` is the most that may lie between the first byte of a request and the first byte of its answer, `keep_alive`
    /// how long the layer above lets a connection be idle.
    pub(super) fn new(request: Duration, keep_alive: Duration) -> Self {
        let tick = request.max(Duration::from_secs(1));
        let idle_ticks = u32::try_from(keep_alive.as_secs().div_ceil(tick.as_secs())).unwrap_or(u32::MAX);
        Self { tick, idle_ticks: idle_ticks.saturating_add(1) }
    }
}

/// A connection that is not waited for without limit; once it is cut, reading finds its end.
pub(super) struct Patient<T> {
    io: T,
    patience: Patience,
    tick: Pin<Box<Sleep>>,
    record: Record,
}

/// What has moved, as of the last tick.
#[derive(Debug, Default)]
struct Record {
    /// The client has sent, or we could not write, and nothing was written since.
    waiting: bool,
    /// Counts writes: tells one spell of waiting from the next.
    spell: u32,
    /// The spell that the last tick found waiting.
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

    /// One tick has passed: is that enough?
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

    /// Called whenever there is nothing to do but wait; also what wakes the connection at the next tick.
    fn is_cut(&mut self, cx: &mut Context<'_>) -> bool {
        while !self.record.cut && self.tick.as_mut().poll(cx).is_ready() {
            self.record.tick(self.patience.idle_ticks);
            self.tick.as_mut().reset(Instant::now() + self.patience.tick);
        }
        self.record.cut
    }

    /// Takes note of how a write went.
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
