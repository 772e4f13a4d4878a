//! Ctrl-C and SIGTERM set a flag that every wait polls, so that servers are stopped by their owners' `Drop`.
//!
//! A second Ctrl-C ends the process at once; servers still die with it where the kernel can tie them to their
//! parent (see [`crate::process`]).

use crate::fail::{Context as _, Fail, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static ASKED_TO_STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Starts listening. Call once, before any server is started.
pub fn listen() -> Result {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Order matters: the conditional exit is registered first, so the first signal only raises the flag.
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&ASKED_TO_STOP))
            .and_then(|_| flag::register(signal, Arc::clone(&ASKED_TO_STOP)))
            .attempt(|| format!("listen for signal {signal}"))?;
    }
    Ok(())
}

/// Whether the task was asked to stop.
pub fn seen() -> bool {
    ASKED_TO_STOP.load(Ordering::SeqCst)
}

/// # Errors
/// [`Fail::interrupted`] once the task was asked to stop.
pub fn check() -> Result {
    if seen() { Err(Fail::interrupted()) } else { Ok(()) }
}
