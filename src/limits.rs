//! Every limit of papo in one place: what outsiders can grow stops at a name in this file.
//! How long things take is in [`crate::timing`].
//!
//! A limit that the protocol fixes for everybody is also in `PROTOCOL.md`; the others are this
//! program's own and may differ between nodes.

/// Largest CBOR item in a TCP frame. Small enough that a PING behind one frame waits little.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Largest datagram: fits an Ethernet frame without fragmentation.
pub const DATAGRAM_BYTES_MAX: usize = 1_200;
/// Deepest nesting of a received CBOR item; our own messages nest 7 deep (COMPARISON).
pub const CBOR_DEPTH_MAX: usize = 16;
/// Longest text of one message; a longer line is sent as several.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest nick in characters.
pub const NICK_CHARS_MAX: usize = 32;
/// Longest room name in bytes.
pub const ROOM_BYTES_MAX: usize = 64;
/// Rooms that one process is in at a time, those that it is leaving included: each is a node of its own.
pub const ROOMS_MAX: usize = 32;
/// Bytes of a configuration file: some hundred times what all options take.
pub const CONFIG_BYTES_MAX: u64 = 256 * 1024;
/// Addresses of one coordinator or peer that `papo doctor` dials.
pub const DOCTOR_DIALS_MAX: usize = 4;
/// Coordinators that `papo doctor` keeps.
pub const DOCTOR_ROOMS_MAX: usize = 64;
/// Hosts that `papo doctor` tells apart on one interface.
pub const DOCTOR_HOSTS_MAX: usize = 256;
/// Candidate addresses of one member; more are cut.
pub const ADDRESSES_MAX: usize = 8;
/// Members of one room. With long nicks and many addresses fewer fit, see [`VIEW_BYTES_MAX`].
pub const MEMBERS_MAX: usize = 400;
/// Members of a room in which a host, or a person, gets no more of the places that are free than a share: half
/// of them all. Below that nobody is refused, so that a class, or a bench, can start many nodes on one machine.
pub const MEMBERS_CROWDED: usize = MEMBERS_MAX / 2;
/// A share is the places that are free by this number: whoever takes all that it can get with three addresses
/// leaves a fifth of all places, and one with a single address leaves half of them.
pub const FREE_PLACES_PER_SHARE: usize = 2;
/// The members of one view, encoded: the whole view must fit one frame, with room for its head.
pub const VIEW_BYTES_MAX: usize = FRAME_BYTES_MAX - 1_024;
/// Bytes of a view from which on hosts and persons get no more than a share, too: more than half, since some
/// two hundred nodes of one machine, with several addresses each, may need as much.
pub const VIEW_BYTES_CROWDED: usize = VIEW_BYTES_MAX / 5 * 4;
/// Direct dependencies of one message: the newest are named, the older ones follow from them.
pub const DEPENDENCIES_MAX: usize = 256;
/// Text and overhead that one CHAT_MESSAGE or CHUNK frame carries before the next one starts.
pub const BATCH_BYTES_MAX: usize = 40 * 1024;

/// Links in all, dials and unfinished handshakes included.
pub const LINKS_MAX: usize = 1_024;
/// Messages that wait for a predecessor or a dependency: where everybody talks at once, what some
/// links are ahead of others.
pub const WAITING_MAX: usize = 32_768;
/// Bytes of the messages that wait for a predecessor or a dependency.
pub const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Ranges named in one FETCH; with fewer named, more is sent twice, nothing is lost.
pub const SKIP_RANGES_MAX: usize = 1_024;
/// Parts of a history, or of a span of it, that are compared in one step: with 16 of them two histories
/// of a million messages are compared in four.
pub const PARTS_MAX: usize = 16;
/// Messages of a span that are listed one by one: about as many bytes as parts would be.
pub const LISTED_MAX: usize = 64;
/// Spans of which one COMPARE asks; further ones are asked for next.
pub const COMPARED_SPANS_MAX: usize = 16;
/// Parts in one answer to COMPARE, about: further spans are left to be asked for again, so that one answer
/// takes less than a millisecond.
pub const COMPARED_PARTS_MAX: usize = 64;
/// Spans that one exchange has still to compare or to fetch: more than an honest peer's answers lead to.
pub const PLAN_SPANS_MAX: usize = 4_096;
/// Exchanges that repair one node's history at a time. Mostly it is one; others begin beside one that takes
/// long and brings little.
pub const EXCHANGES_MAX: usize = 4;
/// How many of these may be with strangers.
pub const STRANGERS_EXCHANGES_MAX: usize = 2;
/// Bytes that one exchange may bring, beside those of the messages that its peer says that it has.
pub const EXCHANGE_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// More than any message takes.
pub const MESSAGE_BYTES_MAX: u64 = 24 * 1024;
/// Names that two messages had, of which the user is told.
pub const DOUBLES_MAX: usize = 16;
/// Spans that one FETCH names; further ones are fetched next.
pub const FETCHED_SPANS_MAX: usize = 256;
/// History entries that one FETCH may walk over before it answers with what it found: a fraction of
/// a millisecond, so that a flood of FETCHes that find nothing delays nobody.
pub const FETCH_SCAN_MAX: usize = 4_000;
/// The same for what is in the store only, in rows: some 10 ms.
pub const STORED_SCAN_MAX: usize = 5_000;
/// Messages committed to the store in one transaction, once per turn of the loop. Together with the
/// next one this bounds how long a turn waits for its commit; the figures are in `driver::keeper`.
pub const STORE_BATCH_MAX: usize = 5_000;
/// Bytes of the messages committed to the store in one transaction.
pub const STORE_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of blocks in the store whose messages are no rows yet; what comes beyond becomes rows at once, at a
/// tenth of the speed. A start may take a second more for them.
pub const ARRIVED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How many of these blocks there are at most.
pub const ARRIVED_BLOCKS_MAX: usize = 8_192;
/// `--store-max` if none is given. A file that is larger already is left as large as it is then.
pub const STORE_BYTES_DEFAULT: u64 = 4 << 30;
/// The smallest `--store-max`, in bytes of the store's file and its log: room for some thousand lines. How large
/// the two may become is the user's to say.
pub const STORE_BYTES_MIN: u64 = 1024 * 1024;
/// Pages of 4 KiB in the store's log: past it a commit waits for a checkpoint, so that the log can be cut.
/// The larger it is, the seldomer that is, and the more a start after a crash has to read.
pub const STORE_LOG_PAGES_MAX: u64 = 32 * 1024;
/// Bytes of messages that are kept in memory because they are not stored yet; as many as the history
/// has in memory are kept anyway. More than any turn of the loop brings.
pub const UNSTORED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Members lost from the view that a node goes on dialling.
pub const LOST_MAX: usize = 64;
/// Coordinators that are heard by datagram, without a link, at a time; what further ones say counts for
/// nothing until a link confirms it.
pub const HEARSAY_MAX: usize = 16;
/// Coordinators beyond these of which it is remembered that they are heard, so that they are dialled once they are
/// heard again. The newest half of them is as many as one address can make up within two heartbeats.
pub const HEARSAY_FURTHER_MAX: usize = 2_048;
/// Dials of coordinators that are only heard, on average, in the pause after which the same one is dialled again: as
/// many as [`HEARSAY_MAX`] of them get. Whoever makes up more of them makes a node dial no more.
pub const HEARSAY_DIALS: u32 = 16;
/// Hosts of which the user is told that they are heard and cannot be reached; strangers can make up more.
pub const HEARSAY_TOLD_MAX: usize = 16;
/// Keys remembered as having left or died; a key never comes back, so the oldest may be forgotten.
pub const GONE_MAX: usize = 1_024;
/// Probes that one node answers for others at a time.
pub const PROBES_MAX: usize = 64;
/// Members who were lost, and may come back, of whom a newcomer is told: those who were lost last, in 2 KiB of the answer
/// that lets it in.
pub const FORMER_MEMBERS_MAX: usize = 256;
/// Nodes of which a coordinator remembers which of their requests others have carried to it; the one that was
/// carried longest ago is forgotten.
pub const CARRIED_WRITERS_MAX: usize = 1_024;
/// Authors whose position is remembered although none of their messages is held any more.
pub const ORIGINS_IDLE_MAX: usize = 4_096;
/// Authors of whom only the store has messages, some 40 bytes of memory each. If there are more, what is in
/// the store only is no part of the history any more, as if it had been dropped; it stays in the file.
pub const STORED_AUTHORS_MAX: usize = 1_000_000;
/// Bytes of the history in memory for each message that it may have (`--history`): if messages are
/// longer on average, fewer are kept. The longest are sixteen times as long.
pub const HISTORY_BYTES_PER_MESSAGE_MAX: usize = 1_024;
/// Messages dated more than 20 hours ahead of the wall that there is room for however small `--history` is.
pub const BEYOND_REACH_MIN: usize = 10_000;
/// Bytes of the history in memory that are kept however small `--history` is.
pub const HISTORY_BYTES_MIN: usize = 16 * 1024 * 1024;
/// Bytes of messages that are kept in memory beyond the history because a present member lacks them:
/// some 0.3 s of chat at the highest rate. Whoever takes in nothing for longer misses the oldest.
pub const UNSTABLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Authors of whom something is known to be missing; of further ones it is noticed again when
/// something else of theirs comes.
pub const GAPS_MAX: usize = 4_096;
/// Ranges of missed messages named in one ACK; with more, the next ACK goes on.
pub const MISSED_RANGES_MAX: usize = 64;
/// Ranges that one FETCH wants below the asker's floor; more are asked for next time.
pub const WANT_RANGES_MAX: usize = 256;
/// Ranges of one gap that a FETCH names one by one; a gap with more holes is wanted as a whole.
pub const WANT_RANGES_OF_GAP_MAX: usize = 64;
/// Commands of the user's that wait while a store is being read; further ones stay in stdin.
pub const HELD_COMMANDS_MAX: usize = 256;
/// Lines said before the room was joined.
pub const UNSENT_BYTES_MAX: usize = 1024 * 1024;
/// Stretches of own messages, one per view, that wait for confirmation; the oldest is given up,
/// whose confirmers have mostly gone.
pub const UNCONFIRMED_RUNS_MAX: usize = 4_096;
/// Outbound bytes queued for one peer before live chat stops being queued for it.
pub const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of one escape sequence from the terminal; every key's is far shorter.
pub const SEQUENCE_BYTES_MAX: usize = 64;
/// Bytes skipped of a terminal's answer (OSC, DCS) that never ends, before keys count again.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Bytes of one paste; the rest is cut, and the user is told.
pub const PASTE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the line being edited: more than one message, so that a long line can be split.
pub const EDIT_BYTES_MAX: usize = 64 * 1024;
/// Killed texts kept for Ctrl-Y and Alt-Y.
pub const KILLS_MAX: usize = 16;
/// Own lines kept for Up and Ctrl-R.
pub const RECALL_LINES_MAX: usize = 1_000;
/// Bytes of the own lines kept for Up and Ctrl-R.
pub const RECALL_BYTES_MAX: usize = 512 * 1024;
/// Lines and other wishes of the user that the node has not taken yet; Enter waits beyond.
pub const ACTIONS_MAX: usize = 64;
/// Rows that the line being edited takes at most; a longer one scrolls within them.
pub const PROMPT_ROWS_MAX: usize = 8;
/// Lines of a paste that are shown before it is sent.
pub const PREVIEW_ROWS_MAX: usize = 5;
/// Printed lines remembered, to paint the screen again after a resize: the tallest screens hold fewer.
pub const SCREEN_LINES_MAX: usize = 512;
/// Bytes of the printed lines remembered.
pub const SCREEN_BYTES_MAX: usize = 512 * 1024;
/// Bytes of lines that wait in a room that is not in front; of more the oldest are skipped, and the room's history
/// has them.
pub const BEHIND_BYTES_MAX: usize = 64 * 1024;
/// Bytes of lines that wait for a terminal that is not read; the oldest are skipped beyond.
pub const PRINT_BYTES_MAX: usize = 1024 * 1024;

/// Outbound bytes queued for one peer before its link is closed: what is not live chat (answers to
/// its own questions, views) goes on being queued beyond `QUEUE_BYTES_MAX`, but not for ever.
pub const QUEUE_BYTES_HARD_MAX: usize = 2 * QUEUE_BYTES_MAX;
/// How many messages a peer that catches up may be behind and still stop stdin, as a long queue
/// does: about what a full one holds. Who lacks more was away, and slows nobody down.
pub const CHASE_MESSAGES_MAX: u64 = 32_768;
/// Accepted connections from one source that have not finished their handshake: enough for a room full of
/// nodes on one host to dial a newcomer at once. A source is here, and in all that follows, an IPv4 address or
/// an IPv6 network (/64): `node::host_of`. Beyond, the oldest ends: an honest
/// handshake takes milliseconds, so those that wait for nothing pay.
pub const HANDSHAKES_PER_SOURCE_MAX: usize = 256;
/// Links from one address whose peers are not members of the room: newcomers, the members of
/// another group that is about to be merged, and whoever else says HELLO. Beyond, the oldest ends.
pub const STRANGERS_PER_SOURCE_MAX: usize = 128;
/// Streams of all sources that are not members' links, unfinished handshakes included: what is left
/// of `LINKS_MAX` is enough for the members. Beyond, the oldest of the source that has the most ends, never a member's.
pub const OUTSIDERS_MAX: usize = 512;
/// Connections from an address without members: so many at once. A room full of nodes that starts
/// on one host dials a newcomer twice each at most.
pub const CONNECTIONS_PER_SOURCE_BURST: u32 = 512;
/// And so many per second; more are closed at once. Members' hosts are not counted, since nobody
/// can tell a member's connection from others' before HELLO; there the oldest handshakes pay.
pub const CONNECTIONS_PER_SOURCE_RATE: u32 = 128;
/// Largest frame before HELLO is exchanged, in bytes: HELLO itself has some 700 at most, and a later
/// version's must fit too. What is announced beyond ends the link before it takes memory.
pub const HANDSHAKE_FRAME_BYTES_MAX: usize = 4 * 1024;
/// Datagrams of one socket (address and port) at once; a coordinator with the shortest heartbeat
/// sends 100 a second.
pub const DATAGRAMS_PER_SENDER_BURST: u32 = 256;
/// And per second; more are dropped before they are opened or decoded.
pub const DATAGRAMS_PER_SENDER_RATE: u32 = 256;
/// The same of one address, whatever the port: a hundred nodes on one host that all start at once.
pub const DATAGRAMS_PER_SOURCE_BURST: u32 = 2_048;
/// And per second.
pub const DATAGRAMS_PER_SOURCE_RATE: u32 = 2_048;
/// JOIN_REQUEST datagrams of one socket at once; each may cause a dial. An honest node sends seven
/// a second while it looks for a room.
pub const JOIN_REQUESTS_PER_SENDER_BURST: u32 = 32;
/// And per second.
pub const JOIN_REQUESTS_PER_SENDER_RATE: u32 = 16;
/// The same of one address, whatever the port.
pub const JOIN_REQUESTS_PER_SOURCE_BURST: u32 = 1_024;
/// And per second.
pub const JOIN_REQUESTS_PER_SOURCE_RATE: u32 = 256;
/// Addresses, and addresses with ports, whose rates are remembered; the ones idle longest go first.
pub const SOURCES_MAX: usize = 1_024;
/// What an answer that is expensive to make (of FETCH, VIEW_REQUEST, JOIN_REQUEST) counts of the
/// frames that one link, and all links, may send in one turn. So does a RELAY, whose signature is verified (some
/// 50 microseconds): a flood of them from members takes some 6 ms of a turn.
pub const EXPENSIVE_FRAME_COST: usize = 32;
/// As how many frames an INTRODUCTION counts, whose answer has to be signed (some 20 microseconds).
pub const INTRODUCTION_COST: usize = 4;
/// As how many frames a PROOF counts, with which one or two signatures are verified (some 50 microseconds
/// each): who sends one is no member yet, and a flood of them takes less than 2 ms of a turn.
pub const PROOF_COST: usize = 8;
/// Outbound bytes queued for one peer that is no member before live chat stops being queued for it;
/// at twice as many its link is closed.
pub const STRANGER_QUEUE_BYTES_MAX: usize = 256 * 1024;
/// Outbound bytes queued for all peers, each queue counted in full although queues share the bytes
/// of what goes to many. Beyond, members too have the small queues of strangers.
pub const QUEUE_BYTES_TOTAL_MAX: u64 = 128 * 1024 * 1024;
/// Connections accepted in one turn of the loop, so that a flood of them starves nobody.
pub const ACCEPTS_PER_TURN_MAX: usize = 32;
/// Bytes read from one link in one turn of the loop: no peer starves another or the timers.
pub const LINK_BYTES_PER_TURN_MAX: usize = 256 * 1024;
/// Bytes read from all links in one turn of the loop.
pub const BYTES_PER_TURN_MAX: usize = 1024 * 1024;
/// Frames taken in from one link in one turn: tiny frames cost more than their bytes.
pub const LINK_FRAMES_PER_TURN_MAX: usize = 1_024;
/// Frames taken in from all links in one turn.
pub const FRAMES_PER_TURN_MAX: usize = 4_096;
/// Bytes read in one turn from all streams that are not members' links: their floods leave most of
/// each turn to the members.
pub const OUTSIDER_BYTES_PER_TURN_MAX: usize = 128 * 1024;
/// Frames taken in from all of those in one turn.
pub const OUTSIDER_FRAMES_PER_TURN_MAX: usize = 128;
/// Datagrams read from each socket in one turn; the kernel drops what does not fit its buffer.
pub const DATAGRAMS_PER_TURN_MAX: usize = 64;
/// Interfaces that one node multicasts on; each costs up to three sockets. What is left out is named.
pub const INTERFACES_MAX: usize = 256;
/// Interfaces on which one socket joins the IPv4 group: what Linux allows unless it is told otherwise
/// (`igmp_max_memberships`). Where it allows fewer, more sockets are opened.
pub const GROUPS_PER_SOCKET_MAX: usize = 20;
/// Processes that look up names of peers at a time; further names wait for their turn.
pub const LOOKUPS_MAX: usize = 16;
/// Bytes of the answer of such a process.
pub const LOOKUP_BYTES_MAX: usize = 4 * 1024;
/// Addresses of one peer that was named; a name may have many.
pub const PEER_ADDRESSES_MAX: usize = 8;
/// Link-local addresses of which is remembered on which interface they are.
pub const SCOPES_MAX: usize = 256;
/// Bytes of stdin read in one turn: all that a pipe holds.
pub const STDIN_BYTES_PER_TURN_MAX: usize = 64 * 1024;
/// Commands of the user taken in one turn, each line that is said counted.
pub const COMMANDS_PER_TURN_MAX: usize = 1_024;
/// Lines said in one command: a quarter of a turn's, so that its budget is overdrawn by little.
pub const SAY_LINES_MAX: usize = 256;
/// Commands of `papo listen --exec` that run at the same time.
pub const RUNS_AT_A_TIME_MAX: usize = 4;
/// Messages that wait for their command, and the bytes of their texts; beyond them none is run.
pub const RUNS_WAITING_MAX: usize = 10_000;
/// The same, in bytes of texts.
pub const RUNS_WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of memory that a pattern of `papo listen --match` may take once it is compiled.
pub const PATTERN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes said in one command before no further line is added to it, for the same reason.
pub const SAY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of what the user says taken in one turn.
pub const SAID_BYTES_PER_TURN_MAX: usize = 256 * 1024;
/// Output rendered but not yet taken by the reader of stdout or stderr; what waits beyond that is a
/// cursor of the user's side.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Bytes rendered for stdout or stderr in one turn.
pub const OUTPUT_BYTES_PER_TURN_MAX: usize = 1024 * 1024;
/// Log lines that wait for stderr; more are dropped and counted.
pub const LOG_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Hosts of which it is remembered that the user was told, in each of the few matters there are; of more than
/// these nothing is said.
pub const COMPLAINTS_KEPT_MAX: usize = 128;
/// Complaints of strangers that wait for the end of a turn; more in one turn are forgotten.
pub const COMPLAINTS_PER_TURN_MAX: usize = 64;
const _: () = assert!(QUEUE_BYTES_HARD_MAX >= QUEUE_BYTES_MAX + 16 * (FRAME_BYTES_MAX + 4));
// Half a queue plus what is said in one turn, with each line's overhead and its dependencies, fits.
const SAID_OVERHEAD: usize = (COMMANDS_PER_TURN_MAX + SAY_LINES_MAX) * 256 + 24 * DEPENDENCIES_MAX;
const _: () = assert!(
    QUEUE_BYTES_MAX / 2 + SAID_BYTES_PER_TURN_MAX + SAY_BYTES_MAX + TEXT_BYTES_MAX + SAID_OVERHEAD
        <= QUEUE_BYTES_MAX
);
const _: () = assert!(OUTSIDERS_MAX + MEMBERS_MAX < LINKS_MAX);
const _: () = assert!(HEARSAY_DIALS as usize <= HEARSAY_MAX);
const _: () = assert!(STRANGER_QUEUE_BYTES_MAX >= 3 * (FRAME_BYTES_MAX + 4));
const _: () = assert!(LINK_BYTES_PER_TURN_MAX >= 2 * (FRAME_BYTES_MAX + 4));

/// Bytes of the messages and confirmations that wait for a slow reader of stdout, however small
/// `--history` is; what a larger history may have in memory may wait, too. Beyond, the newest
/// are left in the store until it is their turn; without one the oldest messages are skipped, and the user
/// is told.
pub const OUTPUT_KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes written in one turn to a stdout that never waits, such as a file: more than a turn brings, so
/// that nothing piles up, and few enough for the timers.
pub const OUTPUT_FILE_BYTES_PER_TURN_MAX: usize = 8 * 1024 * 1024;
/// Notices, answers and events other than messages that wait for stdout; the oldest are skipped beyond.
pub const OUTPUT_LINES_MAX: usize = 10_000;
/// Stretches of skipped messages, each of one author, that are told apart in one place; beyond, an
/// author's last one is made longer.
pub const OUTPUT_SKIPPED_RANGES_MAX: usize = 1_024;
/// Stretches of messages, each of one author, that wait for stdout in the store only; beyond, they wait
/// in memory as without a store.
pub const OUTPUT_SHELVED_STRETCHES_MAX: usize = 65_536;
/// Stretches of confirmations that wait for stdout before stdin is left alone: they are never skipped.
pub const OUTPUT_DELIVERED_RUNS_MAX: usize = 16_384;

/// Keys of which it is remembered whose nodes they are: those of all links, and as many that have gone since. Of
/// more, members' are.
pub const PEOPLE_MAX: usize = 2 * LINKS_MAX;
/// Characters of a terminal's title, or of a desktop notification.
pub const NOTIFIED_CHARS_MAX: usize = 200;
/// People that a user ignores.
pub const IGNORED_MAX: usize = 1_024;
/// Pairs of members that look alike and were told of.
pub const LIKENESSES_MAX: usize = 1_024;
/// Messages that `/search` shows.
pub const SEARCH_SHOWN_MAX: usize = 20;
/// Messages of the store that `/search` gives besides those in memory.
pub const SEARCH_STORED_MAX: usize = 100;
/// Searches that wait for the one before them.
pub const SEARCHES_WAITING_MAX: usize = 16;
/// Members that came a moment ago and were not told of yet; of more it is said at once.
pub const ARRIVALS_MAX: usize = 256;
/// Members of which it is remembered when they spoke last.
pub const SPEAKERS_MAX: usize = 4_096;
/// Lines that people are told at once of one kind, where others can bring about any number; of more each is counted.
/// These are of lines of all authors that were given up. A large loss of several authors is told wholly.
pub const MISSED_SAID_MAX: u32 = 32;
/// Of these, lines about one author.
pub const MISSED_OF_ONE_SAID_MAX: u32 = 16;
/// The same of those who are not who had a nick before.
pub const OTHERS_SAID_MAX: u32 = 12;
/// Of these, lines about one nick.
pub const OTHERS_OF_ONE_SAID_MAX: u32 = 4;
/// The same of new nicks.
pub const RENAMES_SAID_MAX: u32 = 12;
/// Of these, lines about one member.
pub const RENAMES_OF_ONE_SAID_MAX: u32 = 4;
/// The same of members that look alike.
pub const ALIKE_SAID_MAX: u32 = 8;
/// The same of who comes, goes or coordinates: most of a room may come back at once.
pub const COMINGS_SAID_MAX: u32 = 32;
/// The same of other warnings of the node.
pub const WARNINGS_SAID_MAX: u32 = 64;
/// Of these, lines that begin with the same words.
pub const WARNINGS_OF_ONE_SAID_MAX: u32 = 16;
/// Nicks under which somebody is remembered in one run: ten times a full room.
pub const NICKS_KNOWN_MAX: usize = 4_096;
/// Questions for the whole view that are open at a time: more than the members that one in a cut asks within
/// the failure timeout, one for each 250 ms.
pub const VIEW_QUESTIONS_MAX: usize = 16;
/// Members whose word on a coordinator came to nothing lately, and is remembered: more than vouch for one
/// coordinator in the largest room that was tried.
pub const ACCOUNTS_MAX: usize = 64;
/// Names of causes that their authors never said: what a liar names beyond them is looked for anew when the
/// oldest is named again.
pub const UNSAID_MAX: usize = 4_096;
/// Joiners that one member answers at a time.
pub const REFERRALS_MAX: usize = 16;
/// HEARTBEATs that a coordinator sends to members that ask for one, within one heartbeat: some for each
/// member of a large room, and few enough for one that is flooded with forged questions.
pub const BEAT_ANSWERS_MAX: u32 = 256;
/// Moments of noticing that are told apart for one author; later ones count as the last.
pub const GAP_STAGES_MAX: usize = 16;
/// Stretches that are told apart of what one author said and had no room to wait; more count as one.
pub const GAP_RANGES_MAX: usize = 1_024;
/// What is followed and did not come: the oldest of more are forgotten, and would be named in vain.
pub const CAUSES_FOLLOWED_MAX: usize = 1_024;
/// Rooms listed at most: what many strangers send must not fill the memory.
pub const ROOMS_FOUND_MAX: usize = 1_024;
/// Senders whose last counter is remembered. Only holders of the secret get an entry; the one
/// heard least recently is forgotten.
pub const DATAGRAM_SENDERS_MAX: usize = 1_024;
/// Lines that wait for stderr at most; the oldest of more are skipped and counted.
pub const STDERR_LINES_MAX: usize = 1_000;
/// How many bytes of trace files `papo trace` reads; it holds a few times as much.
pub const TRACE_READ_BYTES_MAX: u64 = 200 << 20;
/// How long one line of a trace may be: a view of the largest room has room many times over.
pub const TRACE_LINE_BYTES_MAX: usize = 1 << 20;
/// Of how many nodes `papo trace` makes one picture.
pub const TRACE_NODES_MAX: usize = 1_000;
/// How many types of messages `papo trace` tells apart: twice as many as there are.
pub const TRACE_TYPES_MAX: usize = 64;
/// How many things that look wrong `papo trace` lists of each kind.
pub const TRACE_FINDINGS_MAX: usize = 50;
/// How many arrows an SVG has; more are for the HTML page, which draws only those in sight.
pub const TRACE_SVG_ARROWS_MAX: usize = 3_000;
/// How many lines `papo trace --text` draws.
pub const TRACE_TEXT_ROWS_MAX: usize = 2_000;
/// How many processes a demonstration has in all: as many as people can look at.
pub const DEMO_NODES_MAX: usize = 60;
/// How much of the file is read that says to a process of a lesson from whom it is cut off.
pub const CUTS_BYTES_MAX: u64 = 16 << 10;
/// How many bytes of a trace wait to be written; beyond, they are written whenever a turn ends.
pub const TRACE_WAITING_MAX: usize = 128 << 10;

// The IRC server. What the protocol of IRC fixes is named so that a client can read it in 005.

/// Bytes of a line of IRC with its end, and without its tags.
pub const IRC_LINE_BYTES_MAX: usize = 512;
/// Bytes of the tags of a line that a client sends, with the `@` and the space after them.
pub const IRC_TAG_BYTES_MAX: usize = 4_096;
/// Parameters of a line; further ones belong to the last.
pub const IRC_PARAMS_MAX: usize = 15;
/// Bytes of one client that wait to be understood. A client is read no further until some are.
pub const IRC_UNREAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes that wait for one client to read them. One with more is let go: it does not read, and everybody else
/// goes on.
pub const IRC_UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that wait for all clients together. Beyond, those go for whom the most waits.
pub const IRC_ALL_UNSENT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of one client that are read in one turn of the loop.
pub const IRC_READ_BYTES: usize = 32 * 1024;
/// Addresses at which clients may connect.
pub const IRC_DOORS_MAX: usize = 8;
/// Clients at a time.
pub const IRC_CLIENTS_MAX: usize = 512;
/// Clients of one process in one channel: beyond, the room lets in no more of one host, since the places are shared.
pub const IRC_SEATS_PER_CHANNEL_MAX: usize = MEMBERS_CROWDED - 1;
/// Descriptors of a node without its links: its poll, its listener, and its sockets for datagrams.
pub const IRC_NODE_DESCRIPTORS: usize = 8;
/// Descriptors of the process beside those of clients and nodes, and some to spare.
pub const IRC_OTHER_DESCRIPTORS: usize = 128;
/// Channels that one client is in.
pub const IRC_CHANNELS_MAX: usize = 50;
/// Targets of one command that names several.
pub const IRC_TARGETS_MAX: usize = 10;
/// Lines that a client may send at once; then as many as [`IRC_LINES_PER_SECOND`], and the rest waits.
pub const IRC_LINES_BURST: u64 = 2_000;
/// As how many lines a JOIN counts for each channel beside its own: a node is opened, which takes a millisecond.
pub const IRC_JOIN_COST: usize = 20;
/// As how many lines more a JOIN counts that begins a locked room: its keys are derived, which takes a tenth of a second.
pub const IRC_SECRET_COST: usize = 200;
/// Keys of locked rooms that were derived, and need not be again.
pub const IRC_SECRETS_MAX: usize = 64;
/// As how many lines a NICK counts for each channel that its client is in: each room is told.
pub const IRC_RENAME_COST: usize = 5;
/// What is said to a client because of a line of its own counts as one line more for each so many bytes: a short
/// LIST or WHO may bring much.
pub const IRC_ANSWER_BYTES_PER_LINE: usize = 1_024;
/// Bytes that wait for a client beyond which it is understood no further in the same turn: they are written first.
pub const IRC_ANSWERS_BYTES_MAX: usize = 1024 * 1024;
/// Lines of one client in a second, in the long run.
pub const IRC_LINES_PER_SECOND: u64 = 500;
/// Lines of one client that are understood in one turn of the loop: in fewer turns the rooms have less to do.
pub const IRC_LINES_PER_TURN: usize = 256;
/// Lines of all clients that are understood in one turn of the loop.
pub const IRC_ALL_LINES_PER_TURN: usize = 1_024;
/// Bytes of a topic, of a reason, of a name in full: what fits a line with everything else at its longest.
pub const IRC_TOPIC_BYTES_MAX: usize = 300;
/// Lines of a channel that are kept for CHATHISTORY.
pub const IRC_PAST_LINES_MAX: usize = 2_000;
/// Bytes of these.
pub const IRC_PAST_BYTES_MAX: usize = 1024 * 1024;
/// Lines that one CHATHISTORY brings, and that are shown to who joins.
pub const IRC_HISTORY_LINES_MAX: usize = 100;
/// Lines of one multiline message.
pub const IRC_MULTILINE_LINES_MAX: usize = 32;
/// Bytes of one multiline message.
pub const IRC_MULTILINE_BYTES_MAX: usize = 4_096;
/// Lines that a client said while its node could not yet take them; further ones wait unread.
pub const IRC_UNSAID_LINES_MAX: u64 = 256;
/// Echoes that wait until everybody has confirmed a line; of more, the oldest are sent unconfirmed.
pub const IRC_ECHOES_MAX: usize = 1_024;
/// Authors of a channel of whom is known how far they were shown: of more, those that are gone are forgotten.
pub const IRC_AUTHORS_MAX: usize = 2 * MEMBERS_MAX;
/// Nodes of one channel that look for its room at a time, once one of them is in it: a hundred at once would keep each
/// other from answering in time.
pub const IRC_JOINERS_MAX: usize = 4;
/// Nodes that have left a channel and are not yet gone, in all.
pub const IRC_LEAVING_MAX: usize = 4_096;
/// Messages of a store that are looked at for nicks while somebody waits for a completion: some tenths of a second.
pub const COMPLETION_MESSAGES_MAX: usize = 50_000;
