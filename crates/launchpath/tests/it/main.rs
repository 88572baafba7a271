//! The whole program: what it prints, how it ends, and that it never says more than the evidence.

mod browser;
mod can;
mod compare;
mod denial;
mod emulator;
mod images;
mod incident;
mod inspect;
mod inspect_images;
mod live;
mod malformed;
mod manual;
mod permissions;
mod program;
mod reach;
mod readme;
mod redact;
mod rehearse;
mod rehearse_engine;
mod rehearse_hostile;
mod rehearse_incident;
mod rehearse_matrix;
mod repair;
mod sockets;
mod usage;
mod verify;
