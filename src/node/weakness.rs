//! The protections that a test can switch off, to see that their loss is noticed.
//!
//! Owns their names alone: each part asks for its own by `is_weakened`, and without the feature `weaknesses`,
//! which only the tests have, none can be switched off. It is never a setting for users.

/// A protection that a test can switch off.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weakness {
    /// Messages are taken in before their causes.
    NoDependencyWait,
    /// No SYNC when a member was lost.
    NoSyncOnLoss,
    /// No SYNC every few seconds.
    NoPeriodicSync,
    /// What a peer says of its coordinator is not listened to.
    NoClaimsOnLinks,
    /// A higher claim is followed before its coordinator let this node in.
    NoWaitForJoinResponse,
    /// Who asks to be let in, and follows the coordinator's announcement before the answer comes, takes those whom the
    /// answer names for newcomers.
    AnnouncedAnswersLetNobodyIn,
    /// A JOIN_REQUEST counts for the key that is in it, whoever's link it came on.
    AnybodyAsksForOthers,
    /// A coordinator that is not heard stays in office for as long as somebody says that it lives, whatever it confirms.
    MuteStayInOffice,
    /// What an author said is confirmed although somebody else's text is here under its name.
    DoublesAreConfirmed,
    /// A stranger that said what is missing is asked for it before the member who named it, and others wait for its
    /// answer.
    StrangersHoldUp,
    /// What somebody asked by way of others counts each time that it is carried.
    OldQuestionsCount,
    /// An answer to an earlier question lets this node in.
    OldAnswersCount,
    /// Steps of anybody's view apply, at any version.
    NoNamedViews,
    /// Nodes that start together do not wait for the highest key among them.
    NoTieBreak,
    /// A node that was away goes on as if nothing had happened.
    NoAwayRule,
    /// Nobody else is asked about a silent peer.
    NoIndirectProbe,
    /// LEAVE overtakes the chat that was said before it.
    LeaveBeforeChat,
    /// An ACK names the highest message that was taken in, whatever is missing below it.
    AckOverGaps,
    /// What is missing is given up once one peer was asked.
    OneAnswerIsEnough,
    /// The oldest messages are dropped although somebody lacks them.
    NoRetention,
    /// Joining ends with the first SYNC that ends, whoever it was with.
    FirstSyncJoins,
    /// Members without a link tell each other nothing by way of others.
    NoRelay,
    /// A member asks nobody for its coordinator's view but the coordinator and those it knows.
    NoAskingPastStrangers,
    /// Only a coordinator goes on dialling members that were lost.
    NoRedialByMembers,
    /// What is missing is given up at once by a node that was away and has no link left.
    NoPatienceAfterAbsence,
    /// What was thrown away for want of room counts as asked for.
    ThrownAwayCounts,
    /// What comes when there is no room to wait is thrown away, though it was said before what waits.
    LatestStay,
    /// A message is taken in although an earlier one of its author is looked for: one that was thrown away for want of
    /// room, or that the author says is owed after it was given up without a word.
    LaterGoFirst,
    /// Joining ends with the first source, though somebody has come meanwhile who goes back farther.
    OneSourceIsEnough,
    /// Joining ends without the history of the coordinator, though somebody else goes back farther.
    HostIsNotAsked,
    /// Joining ends with one source where the coordinator has no link.
    NobodyStandsIn,
    /// What was taken in as old without being shown stays unshown, though its author says that it is owed.
    UnshownIsSeen,
    /// What has been missing for long is given up in the moment in which another group lets this node in.
    NewGroupsBringNothing,
    /// What somebody has said who was never a member here is forgotten once its link ends.
    StrangersWordsEnd,
    /// Whoever leaves does not wait for a member that was lost a moment ago.
    LostAreNotAwaited,
    /// Whoever does not answer, and falls silent, is asked once more if that was due by then.
    SilentKeepTheirPlace,
    /// Whoever looks for a room founds one, though others name a coordinator to it, which is dead.
    NamersOfTheDeadAreNobody,
    /// An author that was asked itself for what others say that it said, and does not hold it, may have said it.
    AuthorsAnswersSayNothing,
    /// A member counts as asked in vain, though it brings what is missing in this moment, since earlier exchanges with it
    /// broke off.
    SlowAreAskedInVain,
    /// Where a message counts once it is printed, one that is shown as old counts at once.
    OldCountsAtOnce,
    /// What a peer lacked once, it lacks for ever.
    AnswersStayGood,
    /// What is given up is not said.
    NoWordOfGaps,
    /// What is only heard by datagram counts for ever, although no link confirms it.
    HearsayCounts,
    /// A node that gives up on whom it only heard founds its room at once, whoever else looks for one.
    NoSecondSearch,
    /// A link counts before its peer has heard anything that was said on it.
    UnprovenCounts,
    /// Links go in segments of any size, although large ones get lost.
    NoSmallSegments,
    /// Nobody is told of who is heard and cannot be reached.
    NoWordOfUnreached,
    /// A coordinator whose kernel still answers is given up as soon as one that is gone.
    NoKnock,
    /// Nobody asks for a HEARTBEAT that is missing.
    NoBeatRequests,
    /// A coordinator is given up early also where neighbours hear it, or where no neighbour is heard either.
    NoSayOfNeighbours,
    /// What somebody named as a cause counts as said, and missed, although its author never said it.
    NamedCausesExist,
    /// Whoever names a coordinator is believed for as long as it does.
    VouchingCounts,
    /// Whoever names the coordinator that was just lost is believed for as long as it does.
    LostAreNamed,
    /// Whoever answers ELECTION with its own name is believed as often as it does.
    OwnNameCounts,
    /// Of several whose word came to nothing in the same time only one pays.
    OnlyOnePays,
    /// Whoever answers ELECTION is waited for as often as it does.
    PromisesCount,
    /// Messages that wait for each other wait.
    CyclesWait,
    /// A whole view counts from any member, asked for or not.
    UnaskedViewsCount,
    /// What fell below the floor while a node joined counts as taken in, though its user never saw it.
    UnseenCounts,
    /// What is missing is forgotten while a node joins.
    JoiningNoticesNothing,
    /// An answer on what is missing is good for a failure timeout, however long it takes to ask everybody.
    RoundsMayOutlastAnswers,
    /// A quick answer on what is missing is good for as long as it takes to ask the slow ones.
    QuickAnswersLast,
    /// Whoever takes longer than a failure timeout to answer is waited for no longer than others.
    SlowAreHurried,
    /// However long a node has had no coordinator, it believes the next one who names one.
    EachIsBelievedInTurn,
    /// Whoever looks for its room is not told of a coordinator while one is elected, nor sooner when it asks no more.
    AskersMayFoundFirst,
    /// All that is missing is looked up anew for each piece of somebody's history.
    EachPieceIsLookedUp,
    /// What comes after something that has no room beside what waits is fetched all the same, from everybody in turn.
    RoomlessAreFetched,
    /// What its author's word did not reach to is asked for again and again, although the word still does not.
    RefusedIsAskedAgain,
    /// A gap with more holes than one question names is not asked for.
    TooMuchIsNotAsked,
    /// A coordinator whose count of versions was brought near its end begins at 1 again in its next office.
    VersionsBeginAgain,
    /// An announcement or an answer that a cut held up takes a node back to a view earlier than the one that it holds.
    EarlierViewsCount,
    /// Who was told that its lost coordinator lives tells others so, though nobody says it any more.
    HearsayGoesOn,
    /// Who is asked by a member that has the same id answers that it takes over.
    EqualsAnswer,
    /// Of an author that was lost before it said what it owes only what somebody named is missing, nothing before it.
    NamedOneIsAll,
    /// A coordinator that did not answer for long is not dialled, however often it is heard.
    DoubtedAreNotDialled,
    /// A coordinator that holds its office no more holds it again as soon as anybody else says that it coordinates.
    AnyOfficeCounts,
    /// A coordinator that names this node as its own is given up at once, though the view here came from somebody else
    /// since that may have been said.
    DatedWordsCount,
    /// Many lines of one author that come together arrive as the first of them does.
    FirstOfRunCounts,
    /// Whatever comes is new, also what was said before this node was in its author's view.
    OldIsNew,
    /// Nobody tells a newcomer of a coordinator that is silent, or holds its office no more, while it is waited for.
    OnlyTheLiveAreNamed,
    /// What somebody said who came to this node's group while this node was lost is old.
    NewcomersAreOld,
    /// That the whole history was here when a member was lost is forgotten once this node is in another group.
    WholeIsForgotten,
    /// Who is linked anew and says something counts as one that talks on and does not give what it was asked for.
    ReturningTalkOn,
    /// Who said nothing of what is old is not waited for again when others come who were in another group with it.
    SilentStaySo,
    /// What somebody lacks who is lost to some for a moment, while two groups become one, is not kept for it.
    ReturningAreGone,
    /// Who is linked and says other things than how much it has said may count on this node for what it said before.
    WordlessMayCount,
    /// What those who are gone said to others is new, whenever a group or somebody with a store brings it.
    ElsewhereIsNew,
    /// Whoever comes from elsewhere dates what others wrote who had said HELLO before, as if they had been there.
    HeardAreElsewhere,
    /// A node may write while it takes a view over, to members of that view on whom it does not count yet.
    HalfAViewCounts,
    /// Of what waits, one cause is looked for after the other.
    OneCauseIsNoticed,
    /// What was given up is waited for no more, although it has come since and waits for its author's word.
    GivenUpStaysSo,
    /// What nobody had when a liar named it is looked for no more when somebody else names it.
    UnfoundStaySo,
    /// What somebody else has of an author that goes on, and is not at it yet, is given up when its time has come.
    SlowAuthorsAreGivenUp,
    /// What its author was asked for, and never said, is looked for at everybody else all the same.
    DeniedAreSought,
    /// What is only named, of an author of whom nothing was ever here, is waited for as long as what members said.
    UnknownAreAwaited,
    /// The same of one that is or was in a view, has no link, and of whom nothing ever came.
    GhostsAreAwaited,
    /// An author that talks on, and does not give what it said before, is waited for as if it were slow.
    TalkersAreAwaited,
    /// Whatever a message waits for next is waited for as long as the first that it waited for.
    EachCauseIsAwaitedAnew,
    /// What lies under the floor, and follows from something that is not here, waits for nothing else.
    UnknownIsNothing,
    /// Who is of another group is not asked for what is missing, though somebody coordinates it who was a member here.
    OtherGroupsAreNotAsked,
    /// A search that is over ends with a room of its own as soon as the coordinator leaves that it was about to reach.
    LeaversEndTheSearch,
    /// Whoever has answered nothing for long is waited for as long again with everything that is missing.
    MuteAreAwaitedAnew,
    /// What an author said later may be given up before what it said earlier.
    GivenUpOutOfOrder,
    /// What is older than all in memory, and not in the store yet, is given to nobody.
    UnstoredIsNotGiven,
    /// An author that is linked only after its reader was lost does not say what that owed, and is not waited for.
    NoLateWord,
    /// What somebody says on its own link who is in no view with this node waits for its word.
    StrangersWait,
    /// What is known to be missing is noticed again whenever its author has said more.
    KnownIsNoticedAgain,
    /// A coordinator that its member cannot hear, and that nobody else names, is named to those who elect.
    UnheardAreNamed,
    /// What was given up before it could be stored is not called missed.
    GivenUpIsForgotten,
    /// Who lets others carry to a node what it has to say counts as alive there all the same.
    RelaysAreNoSign,
    /// A newcomer waits for the source that it asks, however little that brings, and for however long.
    SourcesTakeTheirTime,
    /// Nobody is told of two texts of one name.
    NoWordOfDoubles,
}
