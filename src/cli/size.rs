//! Sizes on the command line.
//!
//! Owns how they are written, and the smallest that an option takes.

use crate::limits::STORE_BYTES_MIN;
use crate::trace;

/// A size for a store.
pub(super) fn store_size(text: &str) -> Result<u64, String> {
    let least = STORE_BYTES_MIN >> 20;
    size(text, STORE_BYTES_MIN, &format!("{least}M"), "500M or 4G")
}

/// A size for a trace.
pub(super) fn trace_size(text: &str) -> Result<u64, String> {
    let least = trace::LEAST_BYTES >> 20;
    size(text, trace::LEAST_BYTES, &format!("{least}M"), "64M")
}

/// Bytes, or units of 1024 with a letter.
fn size(text: &str, least: u64, least_said: &str, such_as: &str) -> Result<u64, String> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let split = |(unit, bits)| text.strip_suffix(unit).map(|number| (number, bits));
    let (number, bits) = units.into_iter().find_map(split).unwrap_or((text, 0));
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(1 << bits));
    match bytes {
        Some(bytes) if bytes >= least => Ok(bytes),
        Some(_) => Err(format!("it must be at least {least_said}")),
        None => Err(format!("give a number of bytes, such as {such_as}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_a_least_one() {
        let sizes = [
            ("1M", 1 << 20),
            ("2048K", 2 << 20),
            ("4G", 4 << 30),
            ("5000000", 5_000_000),
        ];
        for (text, bytes) in sizes {
            assert_eq!(store_size(text), Ok(bytes));
        }
        for text in [
            "",
            "G",
            "1.5G",
            "-1G",
            "4g",
            "4GB",
            "0",
            "1023K",
            "18446744073709551615G",
        ] {
            assert!(store_size(text).is_err(), "{text}");
        }
    }
}
