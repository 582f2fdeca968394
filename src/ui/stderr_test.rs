//! What waits for stderr: its bound, and what is said of what was skipped.

use super::*;

#[test]
fn notices_are_bounded() {
    let mut stderr = Stderr::default();
    for _ in 0..STDERR_LINES_MAX + 3 {
        stderr.push("y");
    }
    let mut err = Vec::new();
    stderr.fill(&mut err, usize::MAX);
    let err = String::from_utf8(err).unwrap();
    assert_eq!(err.lines().count(), STDERR_LINES_MAX + 1);
    assert!(err.starts_with("papo: 3 notices skipped\n"));
}
