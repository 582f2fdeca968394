//! Every limit of papo in one place: what outsiders can grow stops at a name in this file.
//!
//! A limit that the protocol fixes for everybody is also in `PROTOCOL.md`; the others are this
//! program's own and may differ between nodes.

/// Largest CBOR item in a TCP frame. Small enough that a PING behind one frame waits little.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Largest datagram: fits an Ethernet frame without fragmentation.
pub const DATAGRAM_BYTES_MAX: usize = 1_200;
/// Deepest nesting of a received CBOR item; our own messages nest 5 deep.
pub const CBOR_DEPTH_MAX: usize = 16;
/// Longest text of one message; a longer line is sent as several.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest nick in characters.
pub const NICK_CHARS_MAX: usize = 32;
/// Longest room name in bytes.
pub const ROOM_BYTES_MAX: usize = 64;
/// Candidate addresses of one member; more are cut.
pub const ADDRESSES_MAX: usize = 8;
/// Members of one room: a whole view of that many still fits one frame.
pub const MEMBERS_MAX: usize = 400;
/// Direct dependencies of one message: the newest are named, the older ones follow from them.
pub const DEPENDENCIES_MAX: usize = 256;
/// Text and overhead that one CHAT_MESSAGE or CHUNK frame carries before the next one starts.
pub const BATCH_BYTES_MAX: usize = 40 * 1024;

/// Links in all, dials and unfinished handshakes included.
pub const LINKS_MAX: usize = 1_024;
/// Messages that wait for a predecessor or a dependency.
pub const WAITING_MAX: usize = 4_096;
/// Bytes of the messages that wait for a predecessor or a dependency.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Ranges named in one FETCH; with fewer named, more is sent twice, nothing is lost.
pub const SKIP_RANGES_MAX: usize = 1_024;
/// History entries that one FETCH may walk over before it answers with what it found.
pub const FETCH_SCAN_MAX: usize = 20_000;
/// Members lost from the view that a coordinator goes on dialling.
pub const LOST_MAX: usize = 64;
/// Keys remembered as having left or died; a key never comes back, so the oldest may be forgotten.
pub const GONE_MAX: usize = 1_024;
/// Probes that one node answers for others at a time.
pub const PROBES_MAX: usize = 64;
/// Authors whose position is remembered although none of their messages is held any more.
pub const ORIGINS_IDLE_MAX: usize = 4_096;
/// Lines said before the room was joined.
pub const UNSENT_BYTES_MAX: usize = 1024 * 1024;
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
/// Bytes of lines that wait for a terminal that is not read; the oldest are skipped beyond.
pub const PRINT_BYTES_MAX: usize = 1024 * 1024;
