//! What the system says of a failure, as people read it.
//!
//! Owns nothing. It never says what to do: whoever failed knows that.

use std::io;

/// The system's words, without the number that the standard library puts behind them.
pub fn reason(e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::NotFound && e.get_ref().is_none() {
        return "No such file or directory".to_owned();
    }
    let text = e.to_string();
    match (e.raw_os_error(), text.rsplit_once(" (os error ")) {
        (Some(_), Some((words, _))) => words.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_error_is_left_out() {
        assert_eq!(
            reason(&io::Error::from_raw_os_error(2)),
            "No such file or directory"
        );
        assert_eq!(
            reason(&io::ErrorKind::NotFound.into()),
            "No such file or directory"
        );
        assert_eq!(
            reason(&io::Error::other("x (os error 2)")),
            "x (os error 2)"
        );
    }
}
