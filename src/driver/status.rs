//! The exit statuses that the driver adds to those of the user's side.
//!
//! Owns their numbers.

/// Something that was to be printed was not.
pub(super) const STATUS_UNPRINTED: u8 = 1;
/// The exit status when papo cannot start or cannot go on.
pub const STATUS_FAILED: u8 = 3;
/// The exit status after a second SIGINT.
pub const STATUS_INTERRUPTED: u8 = 130;
