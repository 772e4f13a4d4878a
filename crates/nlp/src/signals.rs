//! Signals that ask the program to stop, for commands that must not stop between two steps.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;

/// Ctrl-C, a polite `kill`, and a closed terminal.
pub(crate) const STOP: [c_int; 3] = [SIGINT, SIGTERM, SIGHUP];
/// Shells add this to the number of the signal that ended a command.
const SIGNALLED: i32 = 128;

/// Whether the program was asked to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    /// From now on, the first signal is only noted; the caller looks where stopping is safe. A second one ends the
    /// program, for which `advice` says how to find out what state things are in.
    pub(crate) fn watch(printer: &Printer, advice: String) -> Result<Self> {
        let noted = Arc::new(AtomicBool::new(false));
        for signal in STOP {
            signal_hook::flag::register(signal, Arc::clone(&noted))?;
        }
        let mut signals = Signals::new(STOP)?;
        let printer = printer.clone();
        std::thread::spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_some() {
                printer.note(&format!(
                    "nlp: interrupted; finishing the current step (interrupt again to stop at once, then: {advice})"
                ));
            }
            if let Some(signal) = signals.next() {
                // It fails only for signals that cannot be caught.
                let _ = emulate_default_handler(signal);
            }
        });
        Ok(Self(noted))
    }

    /// Whether a signal came.
    pub(crate) fn noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails if a signal came.
    pub(crate) fn check(&self) -> Result<()> {
        if self.noted() { Err(Failure::new("interrupted").coded("interrupted")) } else { Ok(()) }
    }
}

/// The exit code of a command that this signal ended.
pub(crate) fn ended_by(signal: c_int) -> Exit {
    Exit::Command(u8::try_from(SIGNALLED + signal).unwrap_or(u8::MAX))
}
