//! The wire format: bytes against the page that describes it, and against whatever may come in.

#[path = "wire/examples.rs"]
mod examples;
#[path = "wire/page.rs"]
mod page;
