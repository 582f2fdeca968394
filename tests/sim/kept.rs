//! Seeds at which something once failed: each stays, and is run again.
//!
//! Owns the list of those of one kind. Nothing is run here.

/// Seeds beyond those that once failed, the kinds that they were of, and what showed there.
pub const KEPT: &[(u64, &str, &str)] = &[
    (
        63_007_472,
        "partitions",
        "who was asked before a cut, and had ended since, was followed when its answer came",
    ),
    (63_052_143, "partitions", "the same"),
    (58_049_086, "one-way cuts", "the same"),
    (
        71_022_863,
        "partitions",
        "the check took an author's word for heard that was under way on a link that had been cut",
    ),
    (
        88575,
        "partitions",
        "who got an effect from a peer without its cause had no excuse",
    ),
    (
        68199,
        "small history",
        "what waited while later messages fell below the floor was not shown",
    ),
    (
        15255,
        "elections",
        "an excuse ended with the peer that gave it",
    ),
    (
        27271,
        "cuts that stay",
        "a stranger was asked for the view again and again",
    ),
    (
        34366,
        "mixed",
        "a coordinator's new id was not learnt from its view",
    ),
    (
        43529,
        "cuts that stay",
        "a coordinator behind a firewall that refuses was held for dead for ever",
    ),
    (
        45483,
        "elections",
        "who asked a dead coordinator in heard of no other, and elected",
    ),
    (
        51061,
        "small history",
        "the same, with a coordinator that had lost a partition",
    ),
    (
        67387,
        "mixed",
        "the same, with one that had given up its office",
    ),
    (
        64489,
        "slow",
        "what was said before joining was held back, and forgotten for late messages",
    ),
    (
        78018,
        "stopped",
        "a machine that slept forgot that it had to send again",
    ),
    (
        80768,
        "stopped",
        "an effect of an effect was expected to wait for what was missed before",
    ),
    (
        84193,
        "small history",
        "what lay under the floor of the first one asked was found with the next",
    ),
    (
        93843,
        "cuts that stay",
        "rounds of SYNC were wasted on silent links",
    ),
    (
        96873,
        "slow",
        "live chat resumed on a queue that was still full",
    ),
    (7010533, "cuts that stay", "elections without end"),
    (
        9006857,
        "cuts that stay",
        "one of two nodes lacked a message for ever",
    ),
    (
        43017152,
        "mixed",
        "a silent link to one that was lost kept it out, and from being dialled, for ever",
    ),
    (
        44_014_500,
        "leaves while speaking",
        "what was refused while its author spoke for itself was not fetched once it was gone",
    ),
    (
        44_008_915,
        "cuts that stay",
        "the same, with an author that a cut hid from one of its neighbours",
    ),
    (
        44_014_123,
        "cuts that stay",
        "the same, with an author that was taken for lost",
    ),
    (
        46_003_354,
        "one-way cuts",
        "who was asked in vain while cut off was not believed for a minute",
    ),
    (
        46_009_103,
        "no multicast",
        "eight short rounds were too few for a higher one that waited itself",
    ),
    (
        47_000_347,
        "slow",
        "what an author had said and dropped was taken for never said",
    ),
    (
        44_000_080,
        "cuts that stay",
        "what an author's next line follows, and it had not said on its link, was given up in silence",
    ),
    (44_000_411, "partitions", "the same"),
    (
        51_052_773,
        "peers only",
        "a cause was given up while the link of whoever had it was being opened anew",
    ),
    (
        51_072_048,
        "cuts that stay",
        "what a present author out of reach had said was taken for never said",
    ),
    (
        51_076_781,
        "partitions",
        "who had missed a line, and was lost, did not count when the author left",
    ),
    (
        51_090_274,
        "no dials",
        "who gave what was refused while its author spoke for itself was not asked again when the author was cut off",
    ),
    (
        53_153_667,
        "cuts that stay",
        "a member that was declared lost elected without end: whoever told it of its coordinator knew a later view",
    ),
    (
        53_046_339,
        "slow",
        "an author told nobody whose queue was full how much it had said, and what others passed on was refused",
    ),
    (
        53_067_843,
        "stores",
        "the same, of a member that its author held for lost",
    ),
    (
        53_064_098,
        "partitions",
        "what an author in another group had said by its own HELLO was shown as new, since it never said what is old",
    ),
    (
        53_057_698,
        "peers only",
        "what came while its reader joined was shown as new before its author could say that it is old",
    ),
    (
        53_015_924,
        "partitions",
        "the checker did not see that a cause was known only by way of a line that was missed",
    ),
    (
        52_012_347,
        "peers only",
        "a line that was thrown away for want of room was given up without asking its author, who was no member yet",
    ),
    (
        50_004_115,
        "volume of all kinds",
        "what was called missed before its author had said it, and did not come then either, was called so twice",
    ),
    (50_019_305, "volume of all kinds", "the same"),
    (
        50_020_524,
        "elections",
        "a source had lost its beginning since it had said how far its history goes back, and nobody else was asked",
    ),
    (
        45_001_339,
        "partitions",
        "joining waited for one silent neighbour after the other, and another group let the node in meanwhile",
    ),
    (
        47_012_343,
        "stopped hosts",
        "what an author said while it was cut off was not taken from others once it was linked again",
    ),
    (
        60_000_418,
        "no dials",
        "a program that was started again on a host that is only heard was named once more",
    ),
    (
        60_002_053,
        "partitions",
        "a line came between its author's late HELLO and its word, and was taken for old",
    ),
    (
        4_714,
        "stores",
        "the floor rose above the rest of a run that was being taken in, which was neither stored nor missed",
    ),
    (
        220_102_732,
        "pair cuts",
        "an election ended just before a newcomer founded a room of its own, and nobody had told it of the group",
    ),
    (
        200_017_614,
        "partitions",
        "who counted on its reader in a group that had lost it was not waited for, having said nothing before",
    ),
    (
        230_020_623,
        "partitions",
        "the whole history was here when an author was lost, and its first line was missed without a word",
    ),
    (
        260_061_514,
        "partitions",
        "the check took what was rightly shown as old for lacking once it was dropped",
    ),
    (
        260_094_797,
        "full queues",
        "who had answered at once counted as asked until a slow one had, and had got meanwhile what that one dropped",
    ),
    (
        270_021_785,
        "one-way cuts",
        "a newcomer read its history from one that had been cut off just before, and its coordinator had no link",
    ),
    (
        270_034_057,
        "mixed",
        "the check took a link for one on which its peer had said its word, though that had given it up before",
    ),
    (
        280_066_867,
        "mixed",
        "the check wanted a newcomer to know of a coordinator that was elected less than one trip before",
    ),
    (
        400_034_700,
        "one-way cuts",
        "the check took a path as cut from when its second direction was, and wanted a node to wait for one that had \
         vouched for a coordinator out of its reach for so long that its word counted no more",
    ),
    (
        420_047_709,
        "partitions",
        "what a dead process had announced before its end led a node away from its coordinator once a cut had healed",
    ),
    (
        420_057_770,
        "peers only",
        "the line of one that was linked, and counted on nobody here, was new once it had been waited for in vain",
    ),
    (
        430_001_222,
        "one-way cuts",
        "the answer to an earlier question took a node back to an earlier view of its coordinator",
    ),
    (
        430_001_795,
        "peers only",
        "an announcement that a cut had held up took a node back to an earlier view of its coordinator",
    ),
    (
        440_104_863,
        "mixed",
        "each answer took longer than an exchange waited, and what the author held was given up",
    ),
    (
        460_020_042,
        "stopped",
        "an author came back and said that a line is owed which had been given up, and its next ones were shown at once",
    ),
    (
        480_045_111,
        "one-way cuts",
        "the check took one for in reach whose link had carried nothing for long, as a cut had ended only a moment ago",
    ),
    (
        480_046_163,
        "partitions",
        "what was given up, and found no room when it came, was not waited for by what follows from it",
    ),
    (
        480_050_482,
        "cuts that stay",
        "a member out of reach of one that held its office no more told those who elected that it lives",
    ),
    (
        500_037_674,
        "dies while speaking",
        "who took office at a lower member's request did not take its coordinator for lost, and asked nobody for what it had said",
    ),
    (
        500_085_166,
        "dies while speaking",
        "the same, as others were told no more that the dead coordinator lives",
    ),
    (
        500_052_071,
        "volume of all kinds",
        "a PING that a cut had held up named its receiver, which gave its coordinator up, and took an earlier view",
    ),
];
