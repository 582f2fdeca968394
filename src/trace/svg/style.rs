//! How things look, so that they are told apart without colour, too.
//!
//! Owns the colours (Okabe and Ito's, which colour-blind people tell apart), the patterns that go with them, and
//! what kind of line a type of message has.

use std::fmt::Write as _;

/// The colours.
pub(in crate::trace) const COLOURS: [&str; 7] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442",
];

/// What a type of message is about: its name for people, its line, and whether it is drawn thick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::trace) struct Kind {
    /// A class of CSS, and a word for the legend.
    pub(in crate::trace) name: &'static str,
    /// What the legend says.
    pub(in crate::trace) words: &'static str,
}

const ELECTION: Kind = Kind {
    name: "election",
    words: "election",
};
const CHAT: Kind = Kind {
    name: "chat",
    words: "chat and its repair",
};
const GROUP: Kind = Kind {
    name: "group",
    words: "joining, views, leaving",
};
const ALIVE: Kind = Kind {
    name: "alive",
    words: "signs of life",
};

/// The kinds, for a legend.
pub(in crate::trace) const KINDS: [Kind; 4] = [ELECTION, GROUP, CHAT, ALIVE];

/// The kind of a type.
pub(in crate::trace) fn kind_of(name: &str) -> Kind {
    match name {
        "ELECTION" | "ELECTION_OK" | "COORDINATOR_ANNOUNCEMENT" => ELECTION,
        "PING" | "PONG" | "HEARTBEAT" | "PROBE" | "PROBE_ANSWER" | "BEAT_REQUEST" => ALIVE,
        "CHAT_MESSAGE" | "PRIVATE" | "SYNC" | "SYNC_ANSWER" | "FETCH" | "CHUNK" | "COMPARE"
        | "COMPARISON" | "BEHIND" | "ACK" | "STABLE" | "RELAY" => CHAT,
        _ => GROUP,
    }
}

/// The rules and the patterns of an SVG; each colour has a pattern of its own.
pub(super) fn definitions() -> String {
    let mut out = String::from(
        "<style>\
         text{font:11px system-ui,sans-serif;fill:#111}\
         .name{font-weight:600;font-size:13px}.small{font-size:9.5px;fill:#444}\
         .halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}\
         .life{stroke:#555;stroke-width:1.2}.frozen{fill:#fff;stroke:#555;stroke-dasharray:3 2}\
         .arrow{fill:none}.election{stroke:#111;stroke-width:2.2}\
         .group{stroke:#7a3b00;stroke-width:1.3;stroke-dasharray:7 2.5}\
         .chat{stroke:#0072B2;stroke-width:1.3}\
         .alive{stroke:#777;stroke-width:1;stroke-dasharray:1.5 2.5}\
         .box{fill:#f4f4ee;stroke:#888;stroke-dasharray:2 3}\
         .cut{stroke:#111;stroke-width:1.6;stroke-dasharray:1 3}\
         </style><defs>\
         <marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path d=\"M0 0L8 4L0 8Z\" fill=\"#111\"/></marker>",
    );
    let strokes = [
        "M0 8L8 0",
        "M0 2H8M0 6H8",
        "M2 2h.1M6 6h.1",
        "M0 0L8 8",
        "M2 0V8M6 0V8",
        "M0 4H8M4 0V8",
        "",
    ];
    for (number, (colour, stroke)) in COLOURS.iter().zip(strokes).enumerate() {
        let _ = write!(
            out,
            "<pattern id=\"c{number}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <rect width=\"8\" height=\"8\" fill=\"{colour}\" fill-opacity=\".38\"/>\
             <path d=\"{stroke}\" stroke=\"#111\" stroke-width=\"1.3\" stroke-linecap=\"round\" \
             stroke-opacity=\".75\"/></pattern>"
        );
    }
    out.push_str("</defs>\n");
    out
}

/// A text for markup: nothing in it is markup any more, and nothing that XML forbids is left.
pub(in crate::trace) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
