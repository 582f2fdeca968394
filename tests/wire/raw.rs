//! CBOR items as trees that can be written in ways that no library writes.

/// One item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    Uint(u64),
    Text(String),
    Array(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
    /// An item as it stands, which is not looked into.
    Other(Vec<u8>),
    /// Bytes that stand where an item is due.
    Bytes(Vec<u8>),
}

impl Raw {
    pub fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    /// These bytes, and the item behind them.
    pub fn bytes_before(bytes: &[u8], raw: &Raw) -> Raw {
        Raw::Bytes([bytes, &raw.write()[..]].concat())
    }

    /// The tree of one item; none if it is not well-formed, or has lengths that are not definite.
    pub fn read(item: &[u8]) -> Option<Raw> {
        let (raw, rest) = Raw::read_from(item, 0)?;
        rest.is_empty().then_some(raw)
    }

    fn read_from(item: &[u8], depth: usize) -> Option<(Raw, &[u8])> {
        let (&first, mut rest) = item.split_first()?;
        let width = match first & 31 {
            0..=23 => 0,
            n @ 24..=27 => 1_usize << (n - 24),
            _ => return None,
        };
        let mut argument = u64::from(first & 31);
        if width > 0 {
            let (bytes, after) = rest.split_at_checked(width)?;
            argument = bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            rest = after;
        }
        if depth > 40 {
            return None;
        }
        let raw = match first >> 5 {
            0 => Raw::Uint(argument),
            3 => {
                let (text, after) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
                rest = after;
                Raw::Text(str::from_utf8(text).ok()?.to_owned())
            }
            4 => {
                let mut inner = Vec::new();
                for _ in 0..argument {
                    let (raw, after) = Raw::read_from(rest, depth + 1)?;
                    inner.push(raw);
                    rest = after;
                }
                Raw::Array(inner)
            }
            5 => {
                let mut entries = Vec::new();
                for _ in 0..argument {
                    let (name, after) = Raw::read_from(rest, depth + 1)?;
                    let (value, after) = Raw::read_from(after, depth + 1)?;
                    entries.push((name, value));
                    rest = after;
                }
                Raw::Map(entries)
            }
            major => {
                match major {
                    2 => rest = rest.split_at_checked(usize::try_from(argument).ok()?)?.1,
                    6 => rest = Raw::read_from(rest, depth + 1)?.1,
                    _ => {}
                }
                Raw::Other(item[..item.len() - rest.len()].to_vec())
            }
        };
        Some((raw, rest))
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Raw::Uint(n) => head(0, *n, out),
            Raw::Text(text) => {
                head(3, text.len() as u64, out);
                out.extend(text.bytes());
            }
            Raw::Array(inner) => {
                head(4, inner.len() as u64, out);
                inner.iter().for_each(|raw| raw.write_to(out));
            }
            Raw::Map(entries) => {
                head(5, entries.len() as u64, out);
                for (name, value) in entries {
                    name.write_to(out);
                    value.write_to(out);
                }
            }
            Raw::Other(bytes) | Raw::Bytes(bytes) => out.extend(bytes),
        }
    }

    /// The same with the fields of each map in the reverse order.
    pub fn reversed(&self) -> Raw {
        match self {
            Raw::Array(inner) => Raw::Array(inner.iter().map(Raw::reversed).collect()),
            Raw::Map(entries) => {
                let entries = entries.iter().rev();
                Raw::Map(entries.map(|(n, v)| (n.clone(), v.reversed())).collect())
            }
            other => other.clone(),
        }
    }

    /// How many items are in it, itself and field names included.
    pub fn places(&self) -> usize {
        1 + match self {
            Raw::Array(inner) => inner.iter().map(Raw::places).sum(),
            Raw::Map(entries) => entries.iter().map(|(n, v)| n.places() + v.places()).sum(),
            _ => 0,
        }
    }

    /// The same with one of its items changed; none if that one is not changed.
    pub fn with_place(&self, at: usize, change: &dyn Fn(&Raw) -> Option<Raw>) -> Option<Raw> {
        let mut at = at;
        self.walk(&mut at, change)
    }

    fn walk(&self, at: &mut usize, change: &dyn Fn(&Raw) -> Option<Raw>) -> Option<Raw> {
        if *at == 0 {
            return change(self);
        }
        *at -= 1;
        match self {
            Raw::Array(inner) => {
                for (n, raw) in inner.iter().enumerate() {
                    if *at < raw.places() {
                        let mut inner = inner.clone();
                        inner[n] = raw.walk(at, change)?;
                        return Some(Raw::Array(inner));
                    }
                    *at -= raw.places();
                }
                None
            }
            Raw::Map(entries) => {
                for (n, (name, value)) in entries.iter().enumerate() {
                    let mut entries = entries.clone();
                    if *at < name.places() {
                        entries[n].0 = name.walk(at, change)?;
                        return Some(Raw::Map(entries));
                    }
                    *at -= name.places();
                    if *at < value.places() {
                        entries[n].1 = value.walk(at, change)?;
                        return Some(Raw::Map(entries));
                    }
                    *at -= value.places();
                }
                None
            }
            _ => None,
        }
    }
}

/// A head in its shortest form.
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend([major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend((argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend((argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(argument.to_be_bytes());
        }
    }
}
