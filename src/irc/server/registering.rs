//! Who a client is: CAP, PASS, NICK, USER, the welcome, and what of that may change later.

use crate::limits::{
    IRC_CHANNELS_MAX, IRC_HISTORY_LINES_MAX, IRC_RENAME_COST, IRC_TARGETS_MAX, IRC_TOPIC_BYTES_MAX,
};
use crate::limits::{NICK_CHARS_MAX, ROOM_BYTES_MAX};

use super::super::caps::{self, Cap, Caps};
use super::super::client::Stage;
use super::super::line::{Line, body, cut};
use super::super::{Conn, names};
use super::{Request, Server};

/// The longest user name that is shown.
const USER_BYTES_MAX: usize = 20;

impl Server {
    pub(super) fn on_cap(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        let command = line.param(0).unwrap_or("").to_ascii_uppercase();
        let is_new = client.stage == Stage::New;
        match command.as_str() {
            "LS" | "REQ" if is_new => client.negotiates = true,
            _ => {}
        }
        match command.as_str() {
            "LS" => {
                let version = line.param(1).and_then(|v| v.parse::<u32>().ok());
                client.knows_302 |= version.is_some_and(|v| v >= 302);
                let listed = caps::listed(client.knows_302);
                self.cap(conn, "LS", &listed);
            }
            "LIST" => {
                let names: Vec<_> = client.caps.names().collect();
                self.cap(conn, "LIST", &names.join(" "));
            }
            "REQ" => {
                let asked = line.param(1).unwrap_or("");
                let granted = client.caps.asked(asked);
                let had: Caps = client.caps;
                client.caps = granted.unwrap_or(had);
                let answer = if granted.is_some() { "ACK" } else { "NAK" };
                self.cap(conn, answer, asked);
            }
            "END" => {
                client.negotiates = false;
                self.try_welcome(conn);
            }
            _ => {
                let said = line.param(0).unwrap_or("*");
                self.reply(conn, "410", &[said], Some("Invalid CAP command"));
            }
        }
    }

    fn cap(&mut self, conn: Conn, command: &str, text: &str) {
        let source = self.settings.name.clone();
        if let Some(client) = self.clients.get_mut(&conn) {
            let line = body(&source, "CAP", &[client.name(), command], Some(text));
            client.put(line);
        }
    }

    pub(super) fn on_pass(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        if client.stage != Stage::New {
            return self.reply(conn, "462", &[], Some("You may not reregister"));
        }
        match line.param(0).filter(|p| !p.is_empty()) {
            Some(password) => client.password = Some(password.to_owned()),
            None => self.needs_more(conn, "PASS"),
        }
    }

    pub(super) fn on_user(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        if client.stage != Stage::New || client.user.is_some() {
            return self.reply(conn, "462", &[], Some("You may not reregister"));
        }
        let (Some(user), Some(real)) = (line.param(0), line.param(3)) else {
            return self.needs_more(conn, "USER");
        };
        let user: String = user.chars().filter(|c| !"!@:#*?".contains(*c)).collect();
        let user = cut(&user, USER_BYTES_MAX);
        if user.is_empty() || real.is_empty() {
            return self.needs_more(conn, "USER");
        }
        client.user = Some(user.to_owned());
        client.real = cut(real, IRC_TOPIC_BYTES_MAX / 2).to_owned();
        self.try_welcome(conn);
    }

    pub(super) fn on_nick(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(asked) = line.param(0).filter(|nick| !nick.is_empty()) else {
            return self.reply(conn, "431", &[], Some("No nickname given"));
        };
        let is_sayable = !asked.contains([' ', ':']);
        let Some(papo) = names::papo_nick(asked).filter(|_| is_sayable) else {
            let shown = if is_sayable { asked } else { "*" };
            return self.reply(conn, "432", &[shown], Some("Erroneous nickname"));
        };
        let folded = names::folded(asked);
        let holder = self.nicks.get(&folded);
        let is_other = holder.is_some_and(|c| *c != conn) || self.people.named(asked).is_some();
        if is_other {
            return self.reply(conn, "433", &[asked], Some("Nickname is already in use"));
        }
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        if client.nick.as_deref() == Some(asked) {
            return;
        }
        let mask = client.mask();
        let before = client.nick.replace(asked.to_owned());
        let is_known = client.stage == Stage::Known;
        if let Some(before) = before {
            self.nicks.remove(&names::folded(&before));
        }
        self.nicks.insert(folded, conn);
        if !is_known {
            return self.try_welcome(conn);
        }
        let said = self.said(body(&mask, "NICK", &[asked], None));
        self.say_around(conn, &said);
        let seats: Vec<_> = self.seats_of(conn).collect();
        // Each room is told.
        self.charge(conn, IRC_RENAME_COST * seats.len());
        for seat in seats {
            let nick = papo.clone();
            self.requests.push_back(Request::Rename { seat, nick });
        }
    }

    pub(super) fn on_setname(&mut self, conn: Conn, line: &Line<'_>) {
        let Some(real) = line.param(0).filter(|r| !r.is_empty()) else {
            return self.needs_more(conn, "SETNAME");
        };
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        if real.len() > IRC_TOPIC_BYTES_MAX / 2 {
            let text = "Your name is too long";
            return self.fail(conn, "SETNAME", "INVALID_REALNAME", &[], text);
        }
        client.real = real.to_owned();
        let mask = client.mask();
        let said = self.said(body(&mask, "SETNAME", &[], Some(real)));
        let mut all = self.mates(conn);
        all.insert(conn);
        for mate in all {
            let mate = self.clients.get_mut(&mate);
            if let Some(mate) = mate.filter(|m| m.has(Cap::Setname)) {
                mate.say(&said);
            }
        }
    }

    /// Says the welcome, if everything is known that is needed for it.
    fn try_welcome(&mut self, conn: Conn) {
        let Some(client) = self.clients.get_mut(&conn) else {
            return;
        };
        let is_ready = client.stage == Stage::New && !client.negotiates;
        if !is_ready || client.nick.is_none() || client.user.is_none() {
            return;
        }
        let given = client.password.take();
        let wanted = self.settings.password.as_deref();
        if wanted.is_some_and(|w| !is_same(w, given.as_deref().unwrap_or(""))) {
            self.reply(conn, "464", &[], Some("Password incorrect"));
            return self.end(conn, "the password is not the right one");
        }
        client.stage = Stage::Known;
        self.welcome(conn);
        if let Some(room) = self.settings.room.clone() {
            self.join(conn, &names::channel(&room), None);
        }
    }

    fn welcome(&mut self, conn: Conn) {
        let Some(client) = self.clients.get(&conn) else {
            return;
        };
        let mask = client.mask();
        let name = self.settings.name.clone();
        let version = format!("papo-{}", env!("CARGO_PKG_VERSION"));
        self.reply(conn, "001", &[], Some(&format!("Welcome to papo, {mask}")));
        let text = format!("Your host is {name}, running version {version}");
        self.reply(conn, "002", &[], Some(&text));
        let since = super::iso(self.since_ms);
        self.reply(
            conn,
            "003",
            &[],
            Some(&format!("This server was started {since}")),
        );
        self.reply(conn, "004", &[&name, &version, "i", "bknov", "bkov"], None);
        let all = isupport();
        for some in all.chunks(12) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            self.reply(conn, "005", &some, Some("are supported by this server"));
        }
        self.lusers(conn);
        self.reply(conn, "422", &[], Some("There is no message of the day"));
    }
}

/// True if both are the same, which takes as long whatever is the same of them.
fn is_same(one: &str, other: &str) -> bool {
    let differs = (one.bytes().zip(other.bytes())).fold(0, |all, (a, b)| all | (a ^ b));
    differs == 0 && one.len() == other.len()
}

/// What 005 says.
fn isupport() -> Vec<String> {
    let targets = IRC_TARGETS_MAX;
    vec![
        "CASEMAPPING=ascii".to_owned(),
        "CHANTYPES=#".to_owned(),
        "CHANMODES=b,k,,n".to_owned(),
        "PREFIX=(ov)@+".to_owned(),
        "NETWORK=papo".to_owned(),
        "UTF8ONLY".to_owned(),
        format!("NICKLEN={NICK_CHARS_MAX}"),
        format!("CHANNELLEN={}", ROOM_BYTES_MAX + 1),
        format!("CHANLIMIT=#:{IRC_CHANNELS_MAX}"),
        format!("TOPICLEN={IRC_TOPIC_BYTES_MAX}"),
        format!("AWAYLEN={IRC_TOPIC_BYTES_MAX}"),
        format!("NAMELEN={}", IRC_TOPIC_BYTES_MAX / 2),
        format!("USERLEN={USER_BYTES_MAX}"),
        "MODES=1".to_owned(),
        format!(
            "TARGMAX=JOIN:,PART:,NAMES:{targets},LIST:,WHOIS:1,PRIVMSG:{targets},NOTICE:{targets},TAGMSG:{targets},KICK:1"
        ),
        format!("CHATHISTORY={IRC_HISTORY_LINES_MAX}"),
        "MSGREFTYPES=msgid,timestamp".to_owned(),
        "WHOX".to_owned(),
        "ELIST=MU".to_owned(),
    ]
}
