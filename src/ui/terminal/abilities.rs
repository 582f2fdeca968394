//! What a terminal is known to do beyond what all do, from the environment that it gave its programs.
//!
//! This module owns no state. What is not known of a terminal is not tried: where it is wrong, a user
//! misses a title or sees lines printed twice, and never a sequence on the screen.

/// What a terminal is known to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Abilities {
    /// Rows that no longer fit when it becomes narrower are wrapped anew.
    pub reflows: bool,
    /// It has a title, keeps the one before, and says when it has the keyboard's focus.
    pub titles: bool,
    /// How it is asked to notify the user.
    pub notifies: Option<NotifyForm>,
}

/// The sequence by which a terminal notifies the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyForm {
    /// OSC 9, with a text: iTerm2's.
    Osc9,
    /// OSC 777, with a title and a text: rxvt's.
    Osc777,
}

impl Abilities {
    /// What the terminal in this environment does.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Abilities {
        Abilities {
            reflows: reflows(&variable),
            titles: has_titles(&variable),
            notifies: notifies(&variable),
        }
    }
}

/// Whether rows are known to be wrapped anew. Other terminals are treated with more care, which costs
/// lines printed twice.
fn reflows(variable: impl Fn(&str) -> Option<String>) -> bool {
    const SET_BY_THOSE: [&str; 6] = [
        "TMUX",
        "VTE_VERSION",
        "KITTY_WINDOW_ID",
        "KONSOLE_VERSION",
        "WT_SESSION",
        "ALACRITTY_WINDOW_ID",
    ];
    const PROGRAMS: [&str; 5] = [
        "iTerm.app",
        "Apple_Terminal",
        "WezTerm",
        "ghostty",
        "vscode",
    ];
    const TERMS: [&str; 6] = [
        "tmux",
        "xterm-kitty",
        "xterm-ghostty",
        "alacritty",
        "foot",
        "wezterm",
    ];
    // GNU screen cuts, whatever it runs in.
    if variable("STY").is_some() {
        return false;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let term = variable("TERM").unwrap_or_default();
    SET_BY_THOSE.iter().any(|name| variable(name).is_some())
        || PROGRAMS.contains(&program.as_str())
        || TERMS.iter().any(|known| term.starts_with(known))
}

fn has_titles(variable: impl Fn(&str) -> Option<String>) -> bool {
    const TERMS: [&str; 13] = [
        "xterm",
        "tmux",
        "screen",
        "rxvt",
        "alacritty",
        "foot",
        "wezterm",
        "konsole",
        "gnome",
        "vte",
        "st-",
        "mintty",
        "contour",
    ];
    let term = variable("TERM").unwrap_or_default();
    TERMS.iter().any(|known| term.starts_with(known))
}

/// Within tmux or screen none: neither hands such a sequence on unless it is told to.
fn notifies(variable: impl Fn(&str) -> Option<String>) -> Option<NotifyForm> {
    if variable("TMUX").is_some() || variable("STY").is_some() {
        return None;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let term = variable("TERM").unwrap_or_default();
    let is_kitty = variable("KITTY_WINDOW_ID").is_some() || term == "xterm-kitty";
    match program.as_str() {
        "iTerm.app" => Some(NotifyForm::Osc9),
        "WezTerm" | "ghostty" => Some(NotifyForm::Osc777),
        _ if is_kitty => Some(NotifyForm::Osc9),
        _ if variable("VTE_VERSION").is_some() => Some(NotifyForm::Osc777),
        _ if ["foot", "rxvt", "xterm-ghostty", "wezterm", "contour"]
            .iter()
            .any(|known| term.starts_with(known)) =>
        {
            Some(NotifyForm::Osc777)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Abilities {
        Abilities::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_tried_where_nothing_is_known() {
        assert_eq!(of(&[]), Abilities::default());
        assert_eq!(of(&[("TERM", "vt220")]), Abilities::default());
        assert_eq!(of(&[("TERM", "vt100")]), Abilities::default());
    }

    #[test]
    fn notifications_are_not_sent_into_a_multiplexer() {
        let kitty = [("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")];
        assert_eq!(of(&kitty).notifies, Some(NotifyForm::Osc9));
        let inside = [
            ("TERM", "tmux-256color"),
            ("KITTY_WINDOW_ID", "1"),
            ("TMUX", "/x"),
        ];
        assert_eq!(of(&inside).notifies, None);
        assert!(of(&inside).titles && of(&inside).reflows);
        assert_eq!(of(&[("TERM", "foot")]).notifies, Some(NotifyForm::Osc777));
        let iterm = [("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")];
        assert_eq!(of(&iterm).notifies, Some(NotifyForm::Osc9));
        assert_eq!(of(&[("TERM", "xterm-256color")]).notifies, None);
    }
}
