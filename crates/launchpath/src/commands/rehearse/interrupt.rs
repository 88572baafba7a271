//! Ctrl-C: a flag that the rehearsal looks at, so that everything is removed before the program ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::failure::Failure;

/// Set once the user wants to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C, and for the signal that ends programs, from now on.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let flag = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the asynchronous runtime")
            .map_err(Failure::environment)?;
        let set = Arc::clone(&flag);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            runtime.block_on(async {
                #[cfg(unix)]
                {
                    use tokio::signal::unix::{SignalKind, signal};
                    let handlers = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
                    // The main thread goes on once the handlers are there.
                    let _ = ready.send(());
                    if let (Ok(mut interrupt), Ok(mut terminate)) = handlers {
                        tokio::select! {
                            _ = interrupt.recv() => {}
                            _ = terminate.recv() => {}
                        }
                        set.store(true, Ordering::Relaxed);
                    }
                }
                #[cfg(not(unix))]
                {
                    let _ = ready.send(());
                    if tokio::signal::ctrl_c().await.is_ok() {
                        set.store(true, Ordering::Relaxed);
                    }
                }
            });
        });
        // Without handlers the signals end the program, as they do before.
        let _ = is_ready.recv();
        Ok(Self(flag))
    }

    /// The flag itself.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Whether the user wants to stop.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
