//! How long: every duration of the protocol, with the reason for its value.
//!
//! Owns constants, and the relations between them. What the user sets (the heartbeat and the failure
//! timeout) is in the node's configuration; a multiple of those is here as a number of them. How much is
//! in [`crate::limits`]. Nothing here measures time.

use std::time::Duration;

// Joining.

/// The pause between two questions of a node that looks for its room: three of them fit into the
/// patience of somebody who waits for a prompt.
pub const JOIN_RETRY: Duration = Duration::from_millis(150);
/// How many questions a node asks before it founds a room: enough for each to be lost but one on a
/// network that loses a third of all datagrams.
pub const JOIN_REQUESTS: u32 = 4;
/// The discovery window: how long a node looks for its room before it founds one.
pub const DISCOVERY_WINDOW: Duration = JOIN_RETRY.saturating_mul(JOIN_REQUESTS);
/// The pause after which a member looks once more whether an election has ended, where a newcomer is to be told whom
/// it follows: short enough to come before that founds a room of its own.
pub const REFERRAL_RETRY: Duration = Duration::from_millis(25);
/// The longest pause between two questions to one coordinator, as a number of [`JOIN_RETRY`].
pub const JOIN_RETRY_SLOWEST: u32 = 6;
/// For how many times as long as one coordinator is looked for that is heard, and not reached, a node looks for
/// its room at most: then it founds one, however many more are heard.
pub const SEEKING_PATIENCES: u32 = 2;
/// How long a coordinator that was just heard is left to dial this node before this node dials it: the
/// first request makes it dial at once.
pub const COORDINATOR_DIALS_FIRST: Duration = Duration::from_millis(20);

// Links.

/// How long the older of two members without a link leaves the dial to the newer.
pub const OLDER_DIALS_AFTER: Duration = Duration::from_secs(1);
/// How long after a dial the same member is dialled again.
pub const DIAL_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long after a dial a member is dialled again whose process is known to have ended (a firewall can
/// lie).
pub const DIAL_DEAD_AFTER: Duration = Duration::from_secs(10);
/// The pause between two dials of lost members, one of them at a time.
pub const LOST_REDIAL: Duration = Duration::from_secs(2);
/// How long a coordinator that is heard by datagram without a link is remembered after it was last heard:
/// longer than any pause between the datagrams of one that lives.
pub const HEARSAY_REMEMBERED: Duration = Duration::from_secs(60);
/// How long after a coordinator was first heard it counts as heard again: longer than two copies of one datagram are
/// apart, and shorter than the pause between two HEARTBEATs.
pub const HEARSAY_AGAIN: Duration = Duration::from_millis(100);
/// While a node looks for its room, how long after a dial the same `--peer` is dialled again: so that
/// one falls into the discovery window.
pub const PEER_REDIAL_SEEKING: Duration = Duration::from_millis(500);
/// The pause between two dials of `--peer`s later.
pub const PEER_REDIAL: Duration = Duration::from_secs(2);
/// A link that falls silent within this time after it was opened has done so with the first large packet
/// that was said on it, or for no reason of its own.
pub const SILENT_EARLY: Duration = Duration::from_secs(2);
/// How soon after a dial a link opens where nothing is wrong but the size of packets; and what happens to
/// several links within this time happens once.
pub const LINKED_AT_ONCE: Duration = Duration::from_millis(250);
/// For how long it counts that a silent link was replaced at once.
pub const RETURNS_REMEMBERED: Duration = Duration::from_secs(10);
/// For how many failure timeouts a silent link stays open, since it may only be cut one way.
pub const SILENT_LINK_TIMEOUTS_MAX: u32 = 30;

// Who is alive.

/// How many failure timeouts a member may be silent before its coordinator holds it for lost: a member
/// that is lost too early has to come back, and one that is lost late costs nobody anything.
pub const MEMBER_PATIENCE: u32 = 3;
/// By how many failure timeouts HEARTBEATs put off the end of a coordinator whose link says nothing, at most. A
/// link that is alive says nothing for up to three quarters of one before it gets a PING, and after two stalls of
/// 300 ms a kernel sends that again only after 1.4 s.
pub const BEATS_COUNT_TIMEOUTS: u32 = 1;
/// How many failure timeouts somebody who says nothing may still be the one that has what is missing:
/// until everybody would hold it for lost.
pub const GAP_TIMEOUTS: u32 = MEMBER_PATIENCE + 1;

/// How many failure timeouts a peer may take, at most, to answer what it is asked in an exchange, if its last answer
/// took more than half of one: there are paths on which every answer takes longer than a failure timeout.
pub const ANSWER_TIMEOUTS_MAX: u32 = 4;

/// After how many exchanges in a row that did not go to their end a stranger counts as asked in vain for what
/// has been missing for 2 * [`GAP_TIMEOUTS`].
pub const CHANCES_OF_STRANGERS: u32 = 2;
/// The same for a member, and for what has been missing for [`SILENT_LINK_TIMEOUTS_MAX`].
pub const CHANCES_OF_MEMBERS: u32 = 8;

// The coordinator.

/// How long a coordinator may show no sign of life before its host is held for gone, if nothing speaks for it:
/// this share of a heartbeat, in percent. Less than the failure timeout, so a coordinator that is given up too
/// early must be ruled out otherwise: see `node/group/alarm.rs`. After a stall of 300 ms that began with the
/// first HEARTBEAT missed there must be time for several questions.
pub const ALARM_HEARTBEAT_PERCENT: u32 = 260;
/// And at least this share of the failure timeout, in percent: who sets a longer one wants more patience.
pub const ALARM_TIMEOUT_PERCENT: u32 = 65;
/// That time is divided into so many steps; in each of those after the first two since the alarm the HEARTBEAT
/// is asked for. Where three of ten datagrams are lost each way, all of some 15 questions fail once in 25,000
/// times.
pub const ALARM_STEPS: u32 = 32;
/// So many of these steps pass after an alarm at least, also where it was raised late: longer than a stall of
/// 300 ms that began with it. One that was raised in time has no more left anyhow.
pub const ALARM_STEPS_MIN: u32 = 18;
/// How long a coordinator says nothing before an alarm, if no HEARTBEAT of its came: this share of a heartbeat,
/// in percent. A little less than one, since the last sign may have come just after the last look.
pub const ALARM_SILENCE_PERCENT: u32 = 75;
/// The shortest of these steps: a shorter one is less than a round trip and a turn of the loop.
pub const ALARM_STEP_MIN: Duration = Duration::from_millis(5);
/// A host is held for gone only after so many questions, since a node that runs too seldom to ask them is slow
/// itself; and so many steps after somebody else was heard, since this node may have been cut off until then.
pub const ALARM_ASKED_MIN: u32 = 8;
/// With each such step one knocks, if the knock before was not answered: longer than any round trip on a local
/// network, and short enough for one after the longest stall that is borne.
pub const ALARM_KNOCK_STEPS: u32 = 3;
/// HEARTBEATs that come by themselves are the rule if one of so many came: where three of ten datagrams are
/// lost, all of them never are.
pub const ALARM_BEATS_MISSED_MAX: u32 = 16;
/// What each higher member gets as a head start in an election: more than a round trip and a turn of the
/// loop on a local network.
pub const ELECTION_HEAD_START: Duration = Duration::from_millis(30);
/// How long further losses are gathered after one was announced, or the office was taken: where many die
/// at once, the members hear of it in one message and not in one for each.
pub const LOSSES_GATHERED: Duration = Duration::from_millis(30);
/// For how many failure timeouts a node that has no coordinator asks one in vain on the word of one member, all
/// such askings taken together: who answers at all does so in two, by way of others too, and a member that
/// names nobody who exists must not keep it without one.
pub const IN_VAIN_TIMEOUTS: u32 = 6;
/// For how many failure timeouts, in all rounds of an election taken together, a member may say that it takes over,
/// and not do it: whoever waits for somebody itself does so for less than two, and for a few somebodies at times.
pub const OK_TIMEOUTS: u32 = 8;
/// For how many failure timeouts a node that belonged to the room may be without a coordinator before nobody's word on
/// another one counts any more: longer than a single one is asked in vain.
pub const LEADERLESS_TIMEOUTS: u32 = 8;
/// How much the others pay for the same time, where several have said that they take over, or that a coordinator lives:
/// so little that an honest one who waited for a liar itself has its turn after the liar, and so much that many liars
/// are found out while the first of them is still passed by.
pub const OTHERS_PAY_PERCENT: u32 = 75;
/// For how many failure timeouts a coordinator that is not heard, and lives as others say, may confirm nothing of what
/// waits for its word: what is said reaches it by way of others in a round or two of SYNC, and its word comes back with
/// a heartbeat.
pub const MUTE_TIMEOUTS: u32 = 10;
/// For how many failure timeouts somebody pays at most who had this node stay with a coordinator that it had lost: a
/// silence is believed within that time.
pub const STAY_TIMEOUTS_MAX: u32 = 2;
/// How long somebody's word counts no more after it last came to nothing, the first time; and twice as long each
/// further time, since who was wrong by chance, as while links were cut, has its credit again soon.
pub const CREDIT_PAUSE: Duration = Duration::from_secs(5);
/// The longest such pause, and how long it is remembered that somebody's word came to nothing: a liar costs a small
/// share of the time.
pub const CREDIT_REMEMBERED: Duration = Duration::from_secs(60);
/// How often one claim is answered on one link or to one address.
pub const CLAIM_ANSWER_EVERY: Duration = Duration::from_millis(250);

// Commands that are run for messages.

/// How long papo, once it has left, waits for commands that run still, before it says so and ends.
pub const FAREWELL_RUNS: Duration = Duration::from_secs(10);

// Chat and its repair.

/// How long a message may be missing before it is asked for: mostly it is on its way.
pub const GAP_PATIENCE: Duration = Duration::from_millis(50);
/// The pause between two SYNCs with one peer after the other, and the most that chance adds to it.
pub const SYNC_ROUND: Duration = Duration::from_secs(2);
/// Chat that came so lately is still coming, and a periodic SYNC is put off.
pub const CHAT_POURING: Duration = Duration::from_millis(20);
/// An exchange that brought nothing new for so long is ended: its peer must not keep this node from
/// asking others. An honest one passes over a million messages that are held in less.
pub const SYNC_FRUITLESS: Duration = Duration::from_secs(5);
/// How long an exchange with a peer that is no member may take, whatever it brings: one round of SYNC, so that
/// it keeps this node from no other. It has its time again when it is a member.
pub const SYNC_STRANGER: Duration = Duration::from_secs(2);
/// After this time without its end others may be asked beside an exchange that brings less than
/// [`SYNC_ALONE_PACE`].
pub const SYNC_ALONE: Duration = Duration::from_secs(1);
/// Bytes per second that an exchange brings of which others wait for the end: a slow network brings them.
pub const SYNC_ALONE_PACE: u64 = 64 * 1024;
/// Bytes per second that an exchange has to bring on average after [`SYNC_FRUITLESS`]: the slowest link over
/// which a chunk comes within a failure timeout brings more.
pub const SYNC_PACE: u64 = 2 * 1024;
/// For how many failure timeouts a newcomer waits at most for one source where another one can be asked, or has given all
/// that it has: a history of a hundred thousand lines comes in less over a slow link.
pub const SOURCE_TIMEOUTS_MAX: u32 = 60;
/// The longest that any exchange may take.
pub const SYNC_LONGEST: Duration = Duration::from_secs(3_600);
/// How long a peer's socket may take no byte and still stop stdin. The kernel of a process that was stopped goes on for a
/// while, in steps of a delayed ACK (40 ms on Linux), so that this is waited for two or three times.
pub const SOCKET_STALL: Duration = Duration::from_millis(50);
/// How long a member's confirmations, or its questions for what it is behind by, may stand still and still stop stdin.
pub const STALL: Duration = Duration::from_millis(100);
/// How long a node that has just joined takes nothing from stdin while it has no link with some member: whoever hears
/// the beginning of a flood late has to fetch all of it. A link takes some milliseconds.
pub const LINKS_AWAITED: Duration = Duration::from_millis(500);
/// How long a member that went on after such a pause may: it is slow, and not stopped.
pub const STALL_LONGEST: Duration = Duration::from_secs(1);
/// How long what a lost author wrote is kept for those who may lack it.
pub const LOST_AUTHOR_KEPT: Duration = Duration::from_secs(10);

/// How long the word of a lost member on what was delivered without it may come, and makes a difference to how its
/// author leaves: whoever is away for longer is gone.
pub const OVERDUE_KEPT: Duration = Duration::from_secs(60);

/// How far ahead of the clock on the wall a timestamp may lie: what is later counts as not said. Longer than
/// any clock is wrong that somebody has set, and short enough for a room to get over what a liar says.
pub const TIMESTAMP_AHEAD_MAX: Duration = Duration::from_hours(24);
/// How far ahead of the clock on its wall a node writes at most, whatever others have dated: so much less than what is
/// believed that it is believed also by those whose clocks are four hours behind, which is more than a wrong summer
/// time makes.
pub const WRITTEN_AHEAD_MAX: Duration = Duration::from_hours(20);

// Leaving.

/// A leaver stays while chat comes in without such a pause: somebody who leaves at the same time may have
/// nobody else to confirm it.
pub const LEAVE_QUIET: Duration = Duration::from_millis(50);
/// But a leaver does not stay longer than this: in some rooms somebody always speaks.
pub const LEAVE_QUIET_MAX: Duration = Duration::from_millis(100);
/// How long it counts that a key said LEAVE: longer than anything that it said before can be on its way.
pub const LEAVE_REMEMBERED: Duration = Duration::from_secs(10);
/// How long a node that has left waits for its peers to end their streams.
pub const FAREWELL_PEERS: Duration = Duration::from_millis(200);
/// How long a node that has left waits for the readers of stdout and stderr.
pub const FAREWELL_OUTPUT: Duration = Duration::from_secs(2);
/// How long the end waits until what is not stored yet has room in the store: it is little where that has to be waited
/// for, since the log is short there.
pub const FAREWELL_BACKLOG: Duration = Duration::from_secs(3);
/// How long the end waits for the disk under the store: a disk that works takes less for a checkpoint.
pub const FAREWELL_STORE: Duration = Duration::from_millis(500);
/// How long a link that is being closed may take to write what is queued and be read to its end.
pub const LINGER: Duration = Duration::from_secs(5);

// Names of peers.

/// How long the first node of a room waits for the first look-up of a `--peer`'s name before it founds a
/// room without it, and the user before it is said that no answer has come.
pub const NAME_PATIENCE: Duration = Duration::from_secs(2);
/// How long one look-up may take: longer than a resolver that asks each of three name servers twice.
pub const NAME_LOOKUP: Duration = Duration::from_secs(35);
/// The pause after the first look-up of a name that came to nothing; each further one is twice as long.
pub const NAME_AGAIN_FIRST: Duration = Duration::from_secs(1);
/// The longest pause between two look-ups of one name.
pub const NAME_AGAIN_SLOWEST: Duration = Duration::from_secs(60);

// Strangers.

/// How long nothing more is said of a host that was complained of: a reminder, and no nuisance.
pub const COMPLAINT_AGAIN: Duration = Duration::from_secs(600);

// What people are told.

/// How long after somebody came it is said: of one who says something and goes sooner, nothing is.
pub const ARRIVAL_SAID: Duration = Duration::from_secs(2);
/// How long it is waited, once a coordinator is gone, for the one that follows it.
pub const DEPARTURE_GATHERED: Duration = Duration::from_secs(3);
/// How long it is waited, once there is another coordinator, for word of the one before.
pub const SUCCESSOR_GATHERED: Duration = Duration::from_millis(500);
/// How long a node that leaves waits for confirmations before it says so.
pub const LEAVING_SAID: Duration = Duration::from_millis(500);
/// How often one more line of a kind is said of which there were many at once.
pub const REPEATED_EVERY: Duration = Duration::from_secs(30);
/// How long after lines were left out it is said how many: a flood is over by then, or goes on in a line each time.
pub const LEFT_OUT_SAID: Duration = Duration::from_secs(30);
/// How long ago somebody spoke who spoke lately.
pub const SPOKE_LATELY: Duration = Duration::from_secs(600);

// The process.

/// How often it is looked up anew whose links are members'.
pub const SORT_LINKS_EVERY: Duration = Duration::from_millis(50);
/// How long to wait before accepting again when the process has no descriptor left.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(100);

const fn is_longer(a: Duration, b: Duration) -> bool {
    a.as_nanos() > b.as_nanos()
}

// Whoever waits for a name would have founded a room otherwise.
const _: () = assert!(is_longer(NAME_PATIENCE, DISCOVERY_WINDOW));
// A `--peer` is dialled again before its room is founded without it.
const _: () = assert!(is_longer(DISCOVERY_WINDOW, PEER_REDIAL_SEEKING));
// Whoever was just asked has dialled before it is asked again.
const _: () = assert!(is_longer(JOIN_RETRY, COORDINATOR_DIALS_FIRST));
// The newer has asked again before the older dials, too.
const _: () = assert!(is_longer(OLDER_DIALS_AFTER, DISCOVERY_WINDOW));
// What is known to be dead is dialled more seldom than what is not.
const _: () = assert!(is_longer(DIAL_DEAD_AFTER, DIAL_AGAIN_AFTER));
// An exchange goes to its end within a few rounds.
const _: () = assert!(is_longer(SYNC_FRUITLESS, SYNC_ROUND));
// A member that is slow is granted more than one that is stopped.
const _: () = assert!(is_longer(STALL_LONGEST, STALL));
// What is under way in the kernels when a member stops is confirmed for longer than its socket takes more.
const _: () = assert!(is_longer(STALL, SOCKET_STALL));
// A leaver that waits for a pause sees one that is long enough.
const _: () = assert!(is_longer(LEAVE_QUIET_MAX, LEAVE_QUIET));
// A lost author's words are kept until everybody has been asked for them, at the usual failure timeout.
const _: () = assert!(is_longer(
    LOST_AUTHOR_KEPT,
    Duration::from_secs(2).saturating_mul(GAP_TIMEOUTS)
));

/// Joining takes long: the user is told what finds out why. A room that is there lets a node in within a second.
pub const JOINING_IS_LONG: Duration = Duration::from_secs(5);

// `papo doctor`.

/// How many times the doctor sends on each interface: enough for one to be lost now and then.
pub const DOCTOR_PROBES: u32 = 3;
/// The pause between them.
pub const DOCTOR_PROBE_EVERY: Duration = Duration::from_millis(100);
/// How long the doctor listens at least: two of the usual heartbeats and a little more.
pub const DOCTOR_LISTENS: Duration = Duration::from_millis(1_000);
/// How often the doctor asks a coordinator to dial it.
pub const DOCTOR_ASKS: u32 = 3;
/// The pause between them: a connection that was dialled is there within this.
pub const DOCTOR_ASKS_EVERY: Duration = Duration::from_millis(700);
/// How long the doctor waits for a connection: what lets none in says nothing at all.
pub const DOCTOR_DIALS: Duration = Duration::from_secs(2);
/// How long the doctor waits for the other end to have seen all that was sent: more than twice what one lost packet
/// costs, and less than after what a node ends by itself a connection on which nobody said who it is.
pub const DOCTOR_ANSWERS: Duration = Duration::from_millis(700);
/// A trace is written to its file no more often than this, so that what one thing brings about is written together.
pub const TRACE_WRITTEN_EVERY: Duration = Duration::from_millis(5);
/// A node that writes its trace more often than so many times a second for a while writes some at a time: a write costs as much
/// as a message. One that is killed then lacks its last moment, and a quiet one hardly anything.
pub const TRACE_WRITES_PER_SECOND: u32 = 5;
/// So many writes are not too many, however soon one comes after the other: what an election takes.
pub const TRACE_WRITES_AT_ONCE: u32 = 40;
/// A process of a lesson looks so often whether the lesson has cut its network: sooner than anybody can tell.
pub const CUTS_LOOKED_AT_EVERY: Duration = Duration::from_millis(5);

// The IRC server.

/// A node whose peers cannot follow is looked at so often, while lines of its client wait: nothing says when they can.
pub const IRC_BUSY_LOOK: Duration = Duration::from_millis(5);

/// A client has said who it is within this.
pub const IRC_REGISTRATION: Duration = Duration::from_secs(60);
/// A client that has been silent for this long is asked whether it is there.
pub const IRC_PING_AFTER: Duration = Duration::from_secs(120);
/// It answers within this.
pub const IRC_PONG_WITHIN: Duration = Duration::from_secs(60);
/// A new coordinator is shown once it has been one for this long: an election may have a second round, and what
/// is shown is to stay.
pub const IRC_SETTLES: Duration = Duration::from_millis(1_000);
/// A node waits with its start for those of this process that are leaving the same room, but no longer: it
/// would else find their room, and take what is over for what goes on.
pub const IRC_LEAVERS: Duration = Duration::from_secs(3);
/// A node of this process waits for the first one in the same room, but no longer: the first one finds the room
/// for all of them.
pub const IRC_FIRST: Duration = Duration::from_secs(5);
