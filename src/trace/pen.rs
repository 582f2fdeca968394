//! The lines that a busy node writes by the thousand, put together byte by byte.
//!
//! Owns how `sent`, `got`, `taken`, `confirmed` and `command` are written: to the byte as serde writes [`What`], which a
//! test sees, and several times faster. It allocates nothing but room in the buffer that it is given.
//!
//! [`What`]: super::format::What

use super::format::{Hex, Run, Said};

/// Writes into a buffer.
#[derive(Debug)]
pub(super) struct Pen<'a>(pub(super) &'a mut Vec<u8>);

impl Pen<'_> {
    /// A message was sent, on these links, as the so manieth of its type on each.
    pub(super) fn sent(
        mut self,
        m: &'static str,
        to: impl Iterator<Item = (u64, u64)>,
        said: &Said,
    ) {
        self.event("sent");
        self.name(",\"m\":\"", m);
        self.list(",\"to\":[", to, |pen, (link, no)| {
            pen.put("[").number(link).put(",").number(no).put("]");
        });
        self.said(said);
    }

    /// A message came in.
    pub(super) fn got(mut self, m: &'static str, link: u64, no: u64, said: &Said) {
        self.event("got");
        self.name(",\"m\":\"", m);
        self.put(",\"link\":").number(link);
        self.put(",\"no\":").number(no);
        self.said(said);
    }

    /// Chat was taken in.
    pub(super) fn taken(mut self, ids: &[Run], own: bool, how: &'static str, texts: &[String]) {
        self.event("taken");
        self.runs(ids);
        if own {
            self.put(",\"own\":true");
        }
        self.name(",\"how\":\"", how);
        self.texts(texts);
    }

    /// Own chat is delivered.
    pub(super) fn confirmed(mut self, ids: Run, members: u64, confirmed: u64, missed: &[Hex]) {
        self.event("confirmed");
        self.runs(&[ids]);
        self.put(",\"members\":").number(members);
        self.put(",\"confirmed\":").number(confirmed);
        if !missed.is_empty() {
            self.list(",\"missed\":[", missed.iter(), |pen, key| pen.key(*key));
        }
    }

    /// The user wanted something.
    pub(super) fn command(mut self, command: &'static str) {
        self.event("command");
        self.name(",\"command\":\"", command);
    }

    fn said(&mut self, said: &Said) {
        if let Some(claim) = said.claim {
            self.put(",\"claim\":[").number(claim.0).put(",");
            self.key(claim.1);
            self.put("]");
        }
        self.number_if(",\"view\":", said.view);
        self.number_if(",\"id\":", said.id);
        if let Some(key) = said.about {
            self.put(",\"about\":").key(key);
        }
        if !said.ids.is_empty() {
            self.runs(&said.ids);
        }
        self.number_if(",\"seq\":", said.seq);
        self.number_if(",\"members\":", said.members);
        if said.forced {
            self.put(",\"forced\":true");
        }
        if let Some(kind) = &said.kind {
            self.put(",\"kind\":").text(kind);
        }
        self.texts(&said.texts);
    }

    fn event(&mut self, name: &'static str) {
        self.name(",\"e\":\"", name);
    }

    /// A name of papo's own, in which nothing has to be escaped.
    fn name(&mut self, label: &str, name: &'static str) {
        self.put(label).put(name).put("\"");
    }

    fn number_if(&mut self, label: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.put(label).number(number);
        }
    }

    fn runs(&mut self, runs: &[Run]) {
        self.list(",\"ids\":[", runs.iter(), |pen, run| {
            pen.put("[").key(run.0);
            pen.put(",").number(run.1).put(",").number(run.2).put("]");
        });
    }

    fn texts(&mut self, texts: &[String]) {
        if !texts.is_empty() {
            self.list(",\"texts\":[", texts.iter(), |pen, text| pen.text(text));
        }
    }

    fn list<T>(&mut self, label: &str, all: impl Iterator<Item = T>, each: impl Fn(&mut Self, T)) {
        self.put(label);
        for (place, one) in all.enumerate() {
            if place > 0 {
                self.put(",");
            }
            each(self, one);
        }
        self.put("]");
    }

    fn key(&mut self, key: Hex) {
        self.0.push(b'"');
        self.0.extend_from_slice(&key.digits());
        self.0.push(b'"');
    }

    /// A text of somebody's.
    fn text(&mut self, text: &str) {
        // Nothing in a text cannot be written, and a buffer takes everything.
        let _ = serde_json::to_writer(&mut *self.0, text);
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.put(itoa::Buffer::new().format(number))
    }

    pub(super) fn put(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{Claims, What};
    use super::*;
    use crate::wire::Key;

    fn written(by: impl FnOnce(Pen<'_>)) -> String {
        let mut out = Vec::new();
        by(Pen(&mut out));
        out[0] = b'{';
        String::from_utf8(out).expect("text") + "}"
    }

    fn usual(what: &What) -> String {
        serde_json::to_string(what).expect("a line")
    }

    /// What may be said, with each part there and not there.
    fn sayings() -> Vec<Said> {
        let key = Hex(Key(0x0123_4567_89ab_cdef));
        let whole = Said {
            claim: Some(Claims(u64::MAX, key)),
            view: Some(0),
            id: Some(10),
            about: Some(Hex(Key(1))),
            ids: vec![Run(key, 1, 2), Run(Hex(Key(u64::MAX)), 99, u64::MAX)],
            seq: Some(100),
            members: Some(1_234_567_890),
            forced: true,
            kind: Some("attempt 1 \"of\" \u{1b}[2J\\ é\u{202e}".to_owned()),
            texts: vec!["a\n\u{0}\u{7f}".to_owned(), String::new()],
        };
        let parts = |n: u32| {
            let has = |bit: u32| n >> bit & 1 == 1;
            let mut said = whole.clone();
            said.claim = said.claim.filter(|_| has(0));
            said.view = said.view.filter(|_| has(1));
            said.id = said.id.filter(|_| has(2));
            said.about = said.about.filter(|_| has(3));
            said.ids.truncate(if has(4) { 2 } else { n as usize % 2 });
            said.seq = said.seq.filter(|_| has(5));
            said.members = said.members.filter(|_| has(6));
            said.forced = has(7);
            said.kind = said.kind.filter(|_| has(8));
            said.texts.truncate(if has(9) { 2 } else { n as usize % 2 });
            said
        };
        (0..1 << 10).map(parts).collect()
    }

    #[test]
    fn it_writes_what_serde_writes() {
        for said in sayings() {
            let m = "CHAT_MESSAGE";
            let to = vec![(1, 2), (u64::MAX, 0)];
            let by_hand = written(|pen| pen.sent(m, to.iter().copied(), &said));
            let (m, said) = (m.to_owned(), said);
            let sent = What::Sent {
                m: m.clone(),
                to,
                said: said.clone(),
            };
            assert_eq!(by_hand, usual(&sent));
            let by_hand = written(|pen| pen.got("CHAT_MESSAGE", 7, 8, &said));
            let (link, no) = (7, 8);
            assert_eq!(
                by_hand,
                usual(&What::Got {
                    m,
                    link,
                    no,
                    said: said.clone()
                })
            );
            let by_hand = written(|pen| pen.taken(&said.ids, said.forced, "late", &said.texts));
            let taken = What::Taken {
                ids: said.ids,
                own: said.forced,
                how: "late".to_owned(),
                texts: said.texts,
            };
            assert_eq!(by_hand, usual(&taken));
        }
        let (run, keys) = (Run(Hex(Key(5)), 6, 7), vec![Hex(Key(8)), Hex(Key(9))]);
        for missed in [Vec::new(), keys] {
            let by_hand = written(|pen| pen.confirmed(run, 3, 2, &missed));
            let ids = vec![run];
            let (members, confirmed) = (3, 2);
            assert_eq!(
                by_hand,
                usual(&What::Confirmed {
                    ids,
                    members,
                    confirmed,
                    missed
                })
            );
        }
        let command = "say".to_owned();
        assert_eq!(
            written(|pen| pen.command("say")),
            usual(&What::Command { command })
        );
        let to = std::iter::empty();
        assert!(written(|pen| pen.sent("ACK", to, &Said::default())).contains("\"to\":[]"));
    }
}
