//! The contract of the events: which fields each has, and of what kind. More fields may be added;
//! an event that is not named here is a mistake, of the program or of this table.

use serde_json::Value;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bool,
    /// A number from 0.
    Count,
    /// A member's number, from 1.
    Id,
    IdOrNull,
    Text,
    /// 1 to 32 characters, no control characters.
    Nick,
    /// 16 lower-case hexadecimal digits.
    Key,
    /// `<key>-<seq>`.
    MessageId,
    /// Hexadecimal digits.
    Digest,
    /// RFC 3339, UTC, milliseconds.
    Time,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of `{id, nick, key, address}`.
    Members,
    /// A list of messages in the history's order.
    Messages,
}

use Kind::{
    Bool, Count, Digest, Id, IdOrNull, Key, Members, MessageId, Messages, Nick, OneOf, Text, Texts,
    Time,
};

type Fields = &'static [(&'static str, Kind)];

const EVENTS: &[(&str, Fields)] = &[
    (
        "listening",
        &[
            ("version", Text),
            ("schema", Count),
            ("tcp", Texts),
            ("group", Text),
            ("room", Text),
            ("nick", Nick),
            ("key", Key),
        ],
    ),
    (
        "joined",
        &[
            ("id", Id),
            ("coordinator", Id),
            ("members", Members),
            ("history", Count),
            ("again", Bool),
        ],
    ),
    (
        "message",
        &[
            ("from", Id),
            ("nick", Nick),
            ("key", Key),
            ("text", Text),
            ("sent_at", Time),
            ("own", Bool),
            ("replay", Bool),
            ("private", Bool),
        ],
    ),
    (
        "delivered",
        &[("id", MessageId), ("members", Count), ("confirmed", Count)],
    ),
    (
        "missed",
        &[
            ("key", Key),
            ("nick", Text),
            ("first", Count),
            ("last", Count),
            ("count", Count),
        ],
    ),
    ("member_joined", &[("id", Id), ("nick", Nick), ("key", Key)]),
    (
        "member_left",
        &[
            ("id", Id),
            ("nick", Nick),
            ("key", Key),
            ("reason", OneOf(&["left", "lost"])),
        ],
    ),
    (
        "member_renamed",
        &[("id", Id), ("nick", Nick), ("key", Key), ("previous", Nick)],
    ),
    (
        "election",
        &[
            ("phase", OneOf(&["started", "won", "ended"])),
            ("reason", Text),
        ],
    ),
    (
        "coordinator",
        &[
            ("id", Id),
            ("key", Key),
            ("previous", IdOrNull),
            ("own", Bool),
        ],
    ),
    (
        "history",
        &[("count", Count), ("digest", Digest), ("messages", Messages)],
    ),
    // Its fields are null where there is no topic.
    ("topic", &[]),
    (
        "search",
        &[("words", Text), ("count", Count), ("messages", Messages)],
    ),
    (
        "members",
        &[("coordinator", IdOrNull), ("members", Members)],
    ),
    ("whois", &[("id", Id), ("nick", Nick), ("key", Key)]),
    (
        "status",
        &[
            ("id", IdOrNull),
            ("key", Key),
            ("room", Text),
            ("coordinator", IdOrNull),
            ("members", Count),
            ("history", Count),
            ("digest", Digest),
            ("queued_bytes", Count),
            ("uptime_ms", Count),
        ],
    ),
    ("warning", &[("text", Text)]),
    ("error", &[("text", Text)]),
    ("left", &[("confirmed", Bool)]),
];

/// A public message has these besides; a private one takes no number of its author's order.
const PUBLIC_MESSAGE: Fields = &[("id", MessageId), ("seq", Count)];

const MEMBER: Fields = &[("id", Id), ("nick", Nick), ("key", Key), ("address", Text)];

const HISTORY_MESSAGE: Fields = &[
    ("id", MessageId),
    ("from", Id),
    ("nick", Nick),
    ("key", Key),
    ("seq", Count),
    ("text", Text),
    ("sent_at", Time),
];

/// Longest text of one message.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What is wrong with one event, if anything.
pub fn faults(event: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(name) = event["event"].as_str() else {
        return vec!["a line without the name of its event".to_owned()];
    };
    let Some((_, fields)) = EVENTS.iter().find(|(known, _)| *known == name) else {
        return vec![format!("the contract has no event {name:?}")];
    };
    check(event, &[("at", Time)], &mut faults);
    check(event, fields, &mut faults);
    match name {
        "message" if event["private"] == false => {
            check(event, PUBLIC_MESSAGE, &mut faults);
            check_message_id(event, &mut faults);
        }
        "listening" if event["schema"] != 1 => {
            faults.push(format!("schema is {}", event["schema"]));
        }
        "delivered" if event["confirmed"].as_u64() > event["members"].as_u64() => {
            faults.push("more confirmed than there were members".to_owned());
        }
        "joined" | "members" => {
            let members = event["members"].as_array().map_or(&[][..], Vec::as_slice);
            let mut ids: Vec<_> = members.iter().map(|m| m["id"].as_u64()).collect();
            ids.sort_unstable();
            ids.dedup();
            if ids.len() != members.len() {
                faults.push("two members with one id".to_owned());
            }
        }
        _ => {}
    }
    faults
}

fn check(object: &Value, fields: Fields, faults: &mut Vec<String>) {
    for (name, kind) in fields {
        match object.get(name) {
            None => faults.push(format!("{name} is missing")),
            Some(value) => check_value(name, *kind, value, faults),
        }
    }
}

fn check_value(name: &str, kind: Kind, value: &Value, faults: &mut Vec<String>) {
    let text = value.as_str();
    let good = match kind {
        Bool => value.is_boolean(),
        Count => value.is_u64(),
        Id => value.as_u64().is_some_and(|id| id > 0),
        IdOrNull => value.is_null() || value.as_u64().is_some_and(|id| id > 0),
        Text => text.is_some(),
        Nick => text.is_some_and(|t| {
            (1..=32).contains(&t.chars().count()) && !t.chars().any(char::is_control)
        }),
        Key => text.is_some_and(is_key),
        MessageId => text
            .and_then(|t| t.split_once('-'))
            .is_some_and(|(key, seq)| is_key(key) && seq.parse::<u64>().is_ok_and(|n| n > 0)),
        Digest => text.is_some_and(|t| !t.is_empty() && t.chars().all(|c| c.is_ascii_hexdigit())),
        Time => text.is_some_and(is_time),
        OneOf(words) => text.is_some_and(|t| words.contains(&t)),
        Texts => value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string)),
        Members | Messages => {
            let fields = if kind == Members {
                MEMBER
            } else {
                HISTORY_MESSAGE
            };
            let list = value.as_array();
            for item in list.into_iter().flatten() {
                check(item, fields, faults);
                if kind == Messages {
                    check_message_id(item, faults);
                }
            }
            list.is_some()
        }
    };
    if !good {
        let mut shown = value.to_string();
        shown.truncate(shown.floor_char_boundary(200));
        faults.push(format!("{name} is {shown}, which is not {kind:?}"));
    }
}

fn check_message_id(message: &Value, faults: &mut Vec<String>) {
    let (Some(id), Some(key), Some(seq)) = (
        message["id"].as_str(),
        message["key"].as_str(),
        message["seq"].as_u64(),
    ) else {
        return;
    };
    if id != format!("{key}-{seq}") {
        faults.push(format!("the id {id} is not of {key} and {seq}"));
    }
    let bytes = message["text"].as_str().map_or(0, str::len);
    if bytes > TEXT_BYTES_MAX {
        faults.push(format!("{id} has a text of {bytes} bytes"));
    }
}

fn is_key(text: &str) -> bool {
    text.len() == 16
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// `2026-01-31T23:59:59.123Z`
fn is_time(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|(c, p)| match p {
            'd' => c.is_ascii_digit(),
            p => c == p,
        })
}
