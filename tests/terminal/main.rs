//! The interactive terminal against a terminal emulator: what is on the screen, and where the
//! cursor is.

mod keys;
mod lines;
mod random;
mod screen;
mod tty;
mod whole;
