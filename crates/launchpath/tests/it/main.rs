//! The whole program: what it prints, how it ends, and that it never says more than the evidence.

mod denial;
mod emulator;
mod incident;
mod live;
mod program;
mod usage;
