//! How the parts of the manual page are set in roff.
//!
//! Owns the document while it is written. It knows of no option by name.

use clap::{Arg, ArgAction};
use roff::{Roff, bold, italic, roman};

/// Before the value of an option that is a few of its own letters.
const DEFAULT: &str = "[default: ";

/// Longest line of the page's source in bytes: mandoc wants no longer one.
const LINE_BYTES_MAX: usize = 78;

/// A page that is being written.
pub(super) struct Page {
    roff: Roff,
}

impl Page {
    /// An empty page with its title line.
    pub(super) fn new(name: &str, section: &str, date: &str, source: &str) -> Page {
        let mut roff = Roff::new();
        roff.control("TH", [name, section, date, source]);
        Page { roff }
    }

    pub(super) fn section(&mut self, title: &str) {
        self.roff.control("SH", [title.to_uppercase().as_str()]);
    }

    pub(super) fn part(&mut self, title: &str) {
        self.roff.control("SS", [title]);
    }

    /// One paragraph, set in lines that are not too long; each sentence begins one.
    pub(super) fn text(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            let is_full = set_length(&line) + 1 + set_length(word) > LINE_BYTES_MAX;
            if !line.is_empty() && (is_full || line.ends_with(['.', '?', '!'])) {
                self.roff.text([roman(std::mem::take(&mut line))]);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.roff.text([roman(line)]);
        }
    }

    /// Paragraphs with empty lines between them, below something else.
    pub(super) fn paragraphs(&mut self, text: &str) {
        for (n, paragraph) in text.split("\n\n").enumerate() {
            if n > 0 {
                self.roff.control("PP", []);
            }
            self.text(paragraph);
        }
    }

    /// A paragraph that ends with a list of options.
    pub(super) fn paragraph_of_options(&mut self, words: &str, longs: &[&str]) {
        self.roff.control("PP", []).text([roman(words)]);
        for (n, long) in longs.iter().enumerate() {
            let behind = match longs.len() - n {
                1 => ".",
                2 => " and",
                _ => ",",
            };
            self.roff.text([bold(format!("--{long}")), roman(behind)]);
        }
    }

    /// One line of the synopsis.
    pub(super) fn usage(&mut self, command: &str, rest: &str) {
        // The lines are broken between, not before the first one.
        if command != "papo" {
            self.roff.control("br", []);
        }
        let mut line = vec![bold(command)];
        if !rest.is_empty() {
            line.extend([roman(" "), italic(rest.to_owned())]);
        }
        self.roff.text(line);
    }

    /// A word with its value, and what it means.
    pub(super) fn entry(&mut self, word: &str, value: &str, what: &str) {
        let mut head = vec![bold(word)];
        if !value.is_empty() {
            head.extend([roman(" "), italic(value)]);
        }
        self.roff.control("TP", []).text(head);
        self.text(what);
    }

    pub(super) fn file(&mut self, name: &str, what: &str) {
        self.roff.control("TP", []).text([italic(name)]);
        self.text(what);
    }

    /// Lines as they are.
    pub(super) fn example(&mut self, lines: &str) {
        self.roff.control("PP", []);
        self.roff.control("RS", ["4"]).control("nf", []);
        for line in lines.lines() {
            self.roff.text([roman(line)]);
        }
        self.roff.control("fi", []).control("RE", []);
    }

    /// An option, or an argument without a name, with its help, its values, its default and its variable.
    pub(super) fn option(&mut self, arg: &Arg) {
        let mut head = Vec::new();
        if let Some(short) = arg.get_short() {
            head.extend([bold(format!("-{short}")), roman(", ")]);
        }
        let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
        match arg.get_long() {
            Some(long) => head.push(bold(format!("--{long}"))),
            None => head.push(italic(value_names(arg))),
        }
        if takes_value && arg.get_long().is_some() {
            head.extend([roman(" "), italic(value_names(arg))]);
        }
        self.roff.control("TP", []).text(head);
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let (help, mut default) = match help.split_once(DEFAULT) {
            Some((help, rest)) => (help.to_owned(), rest.trim_end_matches(']').to_owned()),
            None => (help, String::new()),
        };
        self.text(&super::sentence(&help));
        if takes_value {
            self.values(arg);
            let given = arg.get_default_values().iter();
            let given: Vec<_> = given.map(|v| v.to_string_lossy().into_owned()).collect();
            if default.is_empty() {
                default = given.join(",");
            }
        }
        if !default.is_empty() {
            self.text(&format!("The default is {default}."));
        }
        if let Some(variable) = arg.get_env() {
            self.text(&format!("Variable: {}.", variable.to_string_lossy()));
        }
    }

    /// What a value may be, with what each means where that is said.
    fn values(&mut self, arg: &Arg) {
        let values = arg.get_possible_values();
        let values: Vec<_> = values.iter().filter(|v| !v.is_hide_set()).collect();
        if values.is_empty() {
            return;
        }
        if values.iter().all(|value| value.get_help().is_none()) {
            let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
            return self.text(&format!("One of {}.", names.join(", ")));
        }
        for value in values {
            self.roff
                .control("br", [])
                .text([bold(value.get_name()), roman(":")]);
            let help = value.get_help().map(ToString::to_string);
            self.text(&super::sentence(&help.unwrap_or_default()));
        }
        self.roff.control("br", []);
    }

    /// The page's source.
    pub(super) fn finish(self) -> String {
        self.roff.render()
    }
}

/// How long a text is in the source: some characters take more there.
fn set_length(text: &str) -> usize {
    let escaped = text.chars().map(|c| match c {
        '\'' => 5,
        '-' | '\\' => 2,
        c => c.len_utf8(),
    });
    escaped.sum()
}

/// How the values of an option or argument are called, with dots if there may be more.
pub(super) fn value_names(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let many = arg
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1);
    let is_list = many || (arg.is_positional() && matches!(arg.get_action(), ArgAction::Append));
    format!("{}{}", names.join(" "), if is_list { "..." } else { "" })
}
