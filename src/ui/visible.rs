//! Makes text from the network safe to look at: what would move a cursor, change a colour, turn
//! the reading direction or hide between letters is written out as visible characters.
//!
//! This module owns that rule and no state: nothing else of the program decides what is safe. It
//! never asks where the text goes. The result is for reading only: it cannot be turned back, since `^[` may also be typed.

/// What becomes of a tab, the one control character that people do write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tab {
    /// It stays: for pipes, where columns matter.
    Keep,
    /// Spaces: for terminals, where it would jump over the prompt.
    Spaces,
    /// `^I`: for nicks and the like, where it has no business.
    Escape,
}

/// What a tab is in a terminal.
const TAB_SPACES: &[u8] = b"    ";

/// Appends text, which is UTF-8, made safe.
pub fn push(out: &mut Vec<u8>, utf8: &[u8], tab: Tab) {
    if is_plain(utf8) {
        out.extend_from_slice(utf8);
    } else {
        push_slowly(out, &String::from_utf8_lossy(utf8), tab);
    }
}

/// A text made safe, as a new string.
#[must_use]
pub fn visible(text: &str, tab: Tab) -> String {
    let mut out = Vec::with_capacity(text.len());
    push(&mut out, text.as_bytes(), tab);
    String::from_utf8_lossy(&out).into_owned()
}

/// True for printable ASCII, the common case. Looks at all bytes without a branch, so that the
/// compiler can take many at a time.
pub(super) fn is_plain(text: &[u8]) -> bool {
    text.iter()
        .fold(true, |plain, b| plain & matches!(b, b' '..=b'~'))
}

/// Copies what is safe in whole runs.
fn push_slowly(out: &mut Vec<u8>, text: &str, tab: Tab) {
    let mut copied = 0;
    // Whether an emoji stands before, and whether nothing was yet said of how it looks.
    let (mut emoji, mut bare) = (false, false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let belongs = match c {
            // Chooses between the plain and the coloured picture of the emoji.
            '\u{fe0e}' | '\u{fe0f}' => bare,
            // Joins two emoji to one picture.
            '\u{200d}' => emoji && characters.peek().is_some_and(|(_, next)| is_emoji(*next)),
            _ => false,
        };
        if is_hidden(c) && !belongs {
            out.extend_from_slice(&text.as_bytes()[copied..at]);
            copied = at + c.len_utf8();
            push_escape(out, c, tab);
        }
        bare = is_emoji(c);
        emoji = bare || (emoji && belongs);
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

fn push_escape(out: &mut Vec<u8>, c: char, tab: Tab) {
    match (c, tab) {
        ('\t', Tab::Keep) => out.push(b'\t'),
        ('\t', Tab::Spaces) => out.extend_from_slice(TAB_SPACES),
        // Caret notation: the control key that types it, `^[` for ESC and `^?` for DEL.
        ('\0'..='\x1f' | '\x7f', _) => out.extend_from_slice(&[b'^', (c as u8) ^ 0x40]),
        _ => out.extend_from_slice(c.escape_unicode().to_string().as_bytes()),
    }
}

/// Symbols that invisible characters may follow without hiding anything: after letters they would
/// be a way to make two names look the same.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Control characters, format characters (general category Cf), line and paragraph separators,
/// and everything else that Unicode says to leave invisible (Default_Ignorable_Code_Point).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{34e}' => false,
        _ => is_format(c),
    }
}

#[rustfmt::skip]
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}'                       // soft hyphen
        | '\u{34f}'                    // combining grapheme joiner
        | '\u{600}'..='\u{605}'        // Arabic number signs
        | '\u{61c}'                    // Arabic letter mark
        | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'      // Hangul fillers
        | '\u{17b4}'..='\u{17b5}'      // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'      // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}'      // zero width, left-to-right and right-to-left marks
        | '\u{2028}'..='\u{202e}'      // separators, bidirectional embeddings and overrides
        | '\u{2060}'..='\u{206f}'      // word joiner, invisible operators, isolates
        | '\u{3164}'                   // Hangul filler
        | '\u{fe00}'..='\u{fe0f}'      // variation selectors
        | '\u{feff}'                   // byte order mark
        | '\u{ffa0}'                   // half-width Hangul filler
        | '\u{fff0}'..='\u{fffb}'      // unassigned, interlinear annotation
        | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'    // Egyptian format controls
        | '\u{1bca0}'..='\u{1bca3}'    // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}'    // musical format controls
        | '\u{e0000}'..='\u{e0fff}'    // tags, more variation selectors
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_touched() {
        for text in [
            "",
            "hello, world ~",
            "olá ção",
            "日本語",
            "🎉 ❤️ é",
            "a\u{301}",
            "\u{fffd}",
        ] {
            assert_eq!(visible(text, Tab::Escape), text);
        }
    }

    #[test]
    fn controls_are_in_caret_notation() {
        assert_eq!(visible("\x1b[31mred\x07", Tab::Keep), "^[[31mred^G");
        assert_eq!(visible("a\0b\x7fc\rd\ne", Tab::Keep), "a^@b^?c^Md^Je");
    }

    #[test]
    fn c1_controls_are_escaped() {
        assert_eq!(visible("\u{9b}31m\u{85}", Tab::Keep), "\\u{9b}31m\\u{85}");
    }

    #[test]
    fn a_tab_is_what_the_place_wants() {
        assert_eq!(visible("a\tb", Tab::Keep), "a\tb");
        assert_eq!(visible("a\tb", Tab::Spaces), "a    b");
        assert_eq!(visible("a\tb", Tab::Escape), "a^Ib");
    }

    #[test]
    fn what_hides_or_turns_text_is_shown() {
        let hidden = [
            0xad, 0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
            0x2060, 0x2066, 0x2069, 0xfeff, 0xfe00, 0xe0001, 0xe0041, 0xe01ef, 0x3164,
        ];
        for code in hidden {
            let c = char::from_u32(code).unwrap();
            assert_eq!(
                visible(&format!("a{c}b"), Tab::Keep),
                format!("a\\u{{{code:x}}}b")
            );
        }
    }

    #[test]
    fn emoji_selectors_stay_only_after_a_symbol() {
        assert_eq!(visible("❤\u{fe0f}", Tab::Keep), "❤\u{fe0f}");
        assert_eq!(visible("ana\u{fe0f}", Tab::Keep), "ana\\u{fe0f}");
        assert_eq!(
            visible("❤\u{fe0f}\u{fe0f}", Tab::Keep),
            "❤\u{fe0f}\\u{fe0f}"
        );
    }

    #[test]
    fn joiners_stay_only_between_emoji() {
        for whole in ["👩\u{200d}👧", "🏳\u{fe0f}\u{200d}🌈", "👩🏽\u{200d}⚕\u{fe0f}"]
        {
            assert_eq!(visible(whole, Tab::Keep), whole);
        }
        assert_eq!(visible("👩\u{200d}", Tab::Keep), "👩\\u{200d}");
        assert_eq!(visible("👩\u{200d}a", Tab::Keep), "👩\\u{200d}a");
        assert_eq!(visible("a\u{200d}👩", Tab::Keep), "a\\u{200d}👩");
        let twice = visible("👩\u{200d}\u{200d}👩", Tab::Keep);
        assert_eq!(twice, "👩\\u{200d}\\u{200d}👩");
    }

    #[test]
    fn no_character_that_comes_out_is_a_control() {
        for c in '\0'..=char::MAX {
            let shown = visible(&c.to_string(), Tab::Escape);
            assert!(!shown.chars().any(char::is_control), "{c:?}");
        }
    }
}
