//! The wire format: bytes against the page that describes it, and against whatever may come in.

#[path = "wire/bounds.rs"]
mod bounds;
#[path = "wire/examples.rs"]
mod examples;
#[path = "wire/frames.rs"]
mod frames;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "wire/page.rs"]
mod page;
#[path = "wire/random.rs"]
mod random;
#[path = "wire/raw.rs"]
mod raw;
#[path = "wire/strict.rs"]
mod strict;
#[path = "wire/tolerance.rs"]
mod tolerance;
