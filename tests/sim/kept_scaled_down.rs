//! Seeds at which something once failed with the limits scaled down: each stays, and is run again.
//!
//! Owns their list. Nothing is run here.

/// Seeds that once failed, with their limits scaled down.
pub const KEPT_SCALED_DOWN: &[(u64, &str)] = &[
    (
        330_078_366,
        "lines were given up while their author brought them, since earlier exchanges with it had broken off",
    ),
    (
        330_171_671,
        "the check wanted two of twelve to have had a turn with each other within twenty seconds",
    ),
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
    (
        190_003_002,
        "whoever was about to be let in founded a room of its own when that coordinator left, beside those it had led",
    ),
    (
        210_018_677,
        "what a coordinator said that had let a newcomer in, and was not followed, was old by what another one had seen",
    ),
    (
        190_027_302,
        "a line was shown before what it answered, since all that it named lay below the floor",
    ),
    (
        190_054_710,
        "what a member of another group had was given up, though a member who was owed it coordinated that group",
    ),
    (4_091, "the floor rose above what waited"),
    (
        11_225,
        "what came before a room was founded was taken for new",
    ),
];

/// Seeds that once failed as another kind than their own, with their limits scaled down: the kinds, and what showed.
pub const KEPT_AS_A_KIND: &[(u64, &str, &str)] = &[
    (
        771,
        "hostile",
        "a liar had let a ghost into the view, whose lines everybody was asked for half a minute long",
    ),
    (
        62_568,
        "hostile",
        "each later line of a liar waited for whatever else was looked for of it",
    ),
    (
        564,
        "hostile",
        "a newcomer gave up what a liar had named before it was said, and showed an answer to it first",
    ),
    (
        1_244,
        "hostile",
        "what follows from a liar's line came twelve seconds late to who had not got that from the liar itself",
    ),
    (
        62_812,
        "hostile",
        "what an honest line waited for was given up after twelve seconds, as more of its author was asked for each time",
    ),
    (
        60_667,
        "hostile",
        "a coordinator that lies let one wait that had believed first the liar and then those whom it served",
    ),
    (
        60_411,
        "hostile",
        "who believed nobody any more after long without a coordinator did not follow the next one that was elected",
    ),
    (
        867,
        "hostile",
        "what came while a coordinator that lies let nobody in was old by the clock that it told at last",
    ),
    (
        271,
        "hostile",
        "the check took a line for old whose author a liar had told that the reader had been lost, as it said itself",
    ),
    (
        437,
        "hostile",
        "a view that a liar had brought was held for good, since the coordinator said its own only once",
    ),
    (
        60_955,
        "hostile",
        "what a newcomer was brought, and a liar had made, waited for one invented cause after the other",
    ),
    (
        60_337,
        "hostile",
        "the check wanted a word of a line that its reader had called missed before it was said",
    ),
    (
        50_874,
        "hostile",
        "the check took a line for old whose author a liar had told that the reader had been lost",
    ),
    (
        190_011_360,
        "partitions",
        "what was taken in as old without being shown was neither shown nor called missed, and was owed",
    ),
    (
        190_011_030,
        "partitions",
        "what a new group had was given up in the moment in which it let the node in",
    ),
    (
        300_004_851,
        "partitions",
        "the word of one that never was a member here was forgotten when it left, and what it said came then",
    ),
    (
        300_009_141,
        "partitions",
        "the check wanted a word of an author that had no open way since it counted on its reader",
    ),
    (
        310_004_973,
        "partitions",
        "a line that was shown as old counted as printed at once, and its author learned that it was owed",
    ),
    (
        350_003_542,
        "one-way cuts",
        "the check wanted a node to wait for one that had long vouched for a coordinator out of its reach",
    ),
    (
        350_002_339,
        "cuts that stay",
        "the check wanted a word of an author that was three steps away for good",
    ),
    (
        352_003_783,
        "pair cuts",
        "a gap waited for an author that had fallen silent since it was to be asked, and a newcomer joined without it",
    ),
    (
        352_008_822,
        "pair cuts",
        "a newcomer founded a room of its own while members named a coordinator to it that had just died",
    ),
    (
        310_017_634,
        "partitions",
        "two that alone held what two groups had said had no turn with each other for twenty seconds",
    ),
    (
        361_000_273,
        "cuts that stay",
        "the check wanted two rooms to meet, of which nobody reached the coordinator of the other",
    ),
    (
        360_004_986,
        "one-way cuts",
        "the check wanted a node to wait for one that had vouched for a coordinator out of its reach for so long that \
         its word counted no more",
    ),
    (
        360_003_006,
        "cuts that stay",
        "the check wanted the word of an author whose path lost segments, and then was cut for good",
    ),
    (
        350_002_379,
        "slow",
        "the check called one in reach whose path lost one segment in six, and whose answers came too late",
    ),
];
