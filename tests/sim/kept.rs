//! Seeds at which something once failed: each stays, and is run again.
//!
//! Owns their lists. Nothing is run here.

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
];

/// Seeds that once failed, with their limits scaled down.
pub const KEPT_SCALED_DOWN: &[(u64, &str)] = &[
    (
        96_003_101,
        "what nobody had was noticed anew with each word of its author, and never given up",
    ),
    (
        57_025_127,
        "what had been queued for a slow path went on as slowly once that was fast again",
    ),
    (
        63_020_833,
        "an author that had lost its reader, and was linked with it at last, did not say what is new",
    ),
    (
        4_614,
        "an author of another group, met a moment before, was not asked for its own first message",
    ),
    (
        17_109_336,
        "only its neighbours knew that a process had ended, and none of them was the coordinator",
    ),
    (
        16_040_767,
        "all had joined a coordinator that had dropped the oldest, and nobody claimed what one still held",
    ),
    (
        16_049_847,
        "an author died before it had a link with the newcomer: nobody can tell what it had heard",
    ),
    (
        13_022_717,
        "the word of an author in another group came by way of others before anybody had let the newcomer in",
    ),
    (
        14_016_144,
        "the first of a run that waited were old, and the rest was taken in without its author's word",
    ),
    (
        507_273,
        "the word of an author in another group had come by way of others before, and did not count",
    ),
    (
        502_430,
        "a confirmation counted as carried that nobody was there to carry",
    ),
    (
        11_005_248,
        "a coordinator died before the one that it let in had its answer, and the next one did not know the clock",
    ),
    (
        7_865_011,
        "who had come into another group claimed a whole history, and had fetched a part of it",
    ),
    (
        7_819_504,
        "a newcomer came while its coordinator was still joining again, and could offer no history",
    ),
    (
        7_513_970,
        "the clock of the group that let a newcomer in first overruled an author of the second",
    ),
    (
        7_144_171,
        "let in by two groups at once, a newcomer went by the clock of one for an author of the other",
    ),
    (
        7_156_694,
        "what had been called missed turned out to be old, and was not shown when it came",
    ),
    (
        7_171_406,
        "what only one other kept came to it when this node had given it up, and was not passed on",
    ),
    (
        7_172_288,
        "a newcomer took lines for old before their author's word came, and never showed them",
    ),
    (
        7_104_525,
        "a cause that only an old message named, which a newcomer dropped before it was shown",
    ),
    (
        6_541_757,
        "the first line of an author came after a later one, and what lay between was not noticed",
    ),
    (
        6_388_338,
        "what only a lost answer named as its cause was asked of who never heard of either",
    ),
    (
        4_103_100,
        "a cause that nobody has any more is sought for as long as it takes",
    ),
    (
        4_108_845,
        "let in by another group, a newcomer went by the first one's clock",
    ),
    (
        4_049_706,
        "what was given up at once was released in the order of its authors",
    ),
    (
        4_059_170,
        "one before those that were shown as new was called old",
    ),
    (
        3_212_280,
        "joining ended with the first source linked, not with the best",
    ),
    (3_302_774, "the source was joining again itself"),
    (4_013_055, "the source waited for the word of an author"),
    (
        4_018_727,
        "the best source had no coordinator when it was linked",
    ),
    (
        4_006_284,
        "what had been asked for was noticed anew as one with what had not",
    ),
    (
        4_032_293,
        "of many peers one was never asked in a long time",
    ),
    (
        2_006_723,
        "a late message was taken for a head, and sought by everybody",
    ),
    (
        2_025_918,
        "what a member wrote was not later than what its reader had seen",
    ),
    (2_036_761, "what was owed came before it was known to be"),
    (
        3_014_288,
        "what waited for its author's word was passed by too early",
    ),
    (
        3_031_120,
        "a lost author's word was forgotten, and waited for again",
    ),
    (
        3_074_300,
        "what was given up before it was known to be owed was not sought again",
    ),
    (
        3_080_003,
        "joining ended when the link with the source was replaced",
    ),
    (
        3_082_798,
        "a confirmation was forgotten while the disk was full",
    ),
    (3_091_941, "the source was cut off, and lacked the newest"),
    (3_131_546, "a peer was asked before it had what was missing"),
    (3_162_690, "what was thrown away counted as asked for"),
    (
        3_169_503,
        "a run that was too long to wait was never taken in",
    ),
    (
        63_026_075,
        "the source was frozen before, went back to the beginning, and lacked the newest",
    ),
    (
        58_019_014,
        "the source came from a group of its own, and had nothing of what the host had",
    ),
    (
        71_022_863,
        "what fell below the floor of a newcomer without history was confirmed",
    ),
    (
        71_017_560,
        "what fell below the floor while its reader joined was confirmed, and never shown",
    ),
    (
        77_003_913,
        "what was said since the first of two groups let its reader in was called old",
    ),
    (74_013_095, "the same"),
    (
        76_057_298,
        "so many were asked that the first answer was too old when the last one came",
    ),
    (80_762, "the same"),
    (
        18_049,
        "what was thrown away while its reader joined was sought by nobody",
    ),
    (
        79_073_881,
        "of an author that was lost before it said what it owes only the line that was named was missed",
    ),
    (
        79_066_931,
        "a coordinator that was heard was not dialled, since its link had carried no answer for long",
    ),
    (
        79_014_053,
        "the word of a coordinator that it has no office was forgotten whenever another one spoke",
    ),
    (
        86_051_197,
        "what was older than all in memory, and not in the store yet, was given to nobody",
    ),
    (
        96_019_253,
        "what a newcomer had said by its HELLO, and was owed, was called old since the newcomer died before its word",
    ),
    (
        95_000_216,
        "a line was said to be lacking that waited for the word of one who was in the first group's view",
    ),
    (
        96_024_362,
        "what came to a peer after its slow answer was given up, since that was good for long",
    ),
    (
        97_010_132,
        "what had been given up came and waited, and what named it was shown before it; what followed from it only \
         by way of a line that was shown without it had no excuse",
    ),
    (
        120_139_325,
        "of two gaps of one author the later was given up first, and a line after it was shown before the earlier \
         one was called missed",
    ),
    (
        120_129_639,
        "the first line of a stranger waited for its word, and there was none before two groups were one",
    ),
    (
        120_181_392,
        "a newcomer that was owed, and had said HELLO, was taken for a stranger by what another one had seen",
    ),
    (
        150_015_021,
        "lines that had no room beside what waited were fetched whole from each peer before a gap was given up",
    ),
    (
        160_101_921,
        "who lets a node in itself after a cut wrote old lines by what another group had seen that it never heard of",
    ),
    (
        170_021_381,
        "what a coordinator lacked that came into another group last was dropped by those who had gone before it",
    ),
    (
        170_002_571,
        "what neither its author nor those who had it could store was taken for dropped too early",
    ),
    (
        120_170_435,
        "joining ended halfway through a change of the view, so that a line was not owed by a new member",
    ),
    (
        131_015_468,
        "what was sent before a confirmation got lost made its link count as alive, and nobody carried it",
    ),
    (4_091, "the floor rose above what waited"),
    (
        11_225,
        "what came before a room was founded was taken for new",
    ),
];
