//! The lessons: what is done to the nodes, what is said of it, and what must come of it.
//!
//! Owns the words and the expectations. A lesson that does not end as it says fails; it never looks away.

use std::time::Duration;

use crate::trace::words::shown;

use super::scene::{Scene, up};

/// A lesson.
pub struct Lesson {
    /// As it is named on the command line.
    pub name: &'static str,
    /// What it is about, in one line.
    pub title: &'static str,
    play: fn(&mut Play<'_>) -> Result<(), String>,
}

/// All lessons, in the order in which they are best given.
pub const LESSONS: [Lesson; 6] = [
    Lesson {
        name: "failover",
        title: "the coordinator's process is killed, and the highest that is left takes over at once",
        play: failover,
    },
    Lesson {
        name: "classic-bully",
        title: "an election as the textbook has it: a low node asks all higher ones",
        play: classic_bully,
    },
    Lesson {
        name: "freeze",
        title: "a coordinator that does not run is replaced, and comes back as a member",
        play: freeze,
    },
    Lesson {
        name: "split-brain",
        title: "a cut makes two groups with a coordinator each; healed, they are one again",
        play: split_brain,
    },
    Lesson {
        name: "late-joiner",
        title: "who comes late has everything that was said before",
        play: late_joiner,
    },
    Lesson {
        name: "simultaneous-start",
        title: "five nodes that start in the same instant are one group, and nobody elects",
        play: simultaneous_start,
    },
];

/// What nodes are called.
pub const NICKS: [&str; 12] = [
    "ana", "bob", "caio", "dora", "eva", "fred", "gil", "hugo", "ines", "joao", "kai", "lia",
];

/// A failover that takes longer has waited for a time-out, in microseconds.
const IMMEDIATELY: u64 = 600_000;
/// The same with real processes, whose machine may be busy: so long a silence would mean a failure.
const WITHOUT_A_SILENCE: u64 = 1_000_000;
/// How long an agreement may take.
const LONG: Duration = Duration::from_secs(20);

/// A lesson while it is played.
pub struct Play<'a> {
    /// The nodes.
    pub stage: &'a mut dyn Scene,
    /// Who hears each line as it is said.
    hears: &'a mut dyn FnMut(&str),
    /// What was said so far, a line for each step.
    pub told: String,
    /// From when on it is interesting.
    pub from: u64,
}

impl Play<'_> {
    /// Says what happens now.
    fn say(&mut self, words: &str) {
        let at = shown(self.stage.now().cast_signed());
        self.tell(&format!("+{at:<10} {words}\n"));
    }

    fn tell(&mut self, line: &str) {
        (self.hears)(line);
        self.told.push_str(line);
    }

    /// Waits until this is so, and says it.
    fn demand(&mut self, words: &str, is_so: impl Fn(&dyn Scene) -> bool) -> Result<(), String> {
        if !self.stage.wait(LONG, &is_so) {
            if let Some(trouble) = self.stage.trouble() {
                return Err(trouble);
            }
            let long = LONG.as_secs();
            return Err(format!("after {long} s it is not so that {words}"));
        }
        self.say(words);
        Ok(())
    }

    /// So many nodes, one after another; all know each other.
    fn room(&mut self, count: usize) -> Result<(), String> {
        for nick in NICKS.iter().take(count) {
            self.add(nick)?;
            self.demand(&format!("{nick} is in the room"), |s| {
                s.is_joined(s.count() - 1)
            })?;
        }
        self.demand(
            &format!("all {count} have each other in their views"),
            |s| up(s).iter().all(|a| s.links(*a) + 1 == up(s).len()) && is_one(s),
        )?;
        self.stage.pass(Duration::from_millis(400));
        self.from = self.stage.now();
        Ok(())
    }

    fn add(&mut self, nick: &str) -> Result<usize, String> {
        self.stage.start(nick)
    }

    /// Whoever runs says a line; all who run have it soon.
    fn talk(&mut self, actor: usize, text: &str) -> Result<(), String> {
        let who = self.stage.name(actor);
        self.stage.say(actor, text);
        self.demand(
            &format!("{who} says “{text}”, and all in its group have it"),
            |s| {
                let mates = up(s)
                    .into_iter()
                    .filter(|a| s.leader(*a) == s.leader(actor));
                mates
                    .into_iter()
                    .all(|a| s.texts(a).iter().any(|t| t == text))
            },
        )
    }
}

/// All that run follow one node that runs, and have the same view.
fn is_one(stage: &dyn Scene) -> bool {
    let up = up(stage);
    let leader = up.first().and_then(|a| stage.leader(*a));
    let runs = leader.is_some_and(|leader| stage.is_up(leader));
    let agrees = |a: &usize| {
        stage.leader(*a) == leader && stage.is_joined(*a) && stage.members(*a) == up.len()
    };
    runs && up.iter().all(agrees)
}

/// Plays a lesson with these nodes; what was said, and whether it ended as it says. `hears` gets each line at once.
pub fn play<'a>(
    lesson: &Lesson,
    stage: &'a mut dyn Scene,
    hears: &'a mut dyn FnMut(&str),
) -> (Play<'a>, Result<(), String>) {
    let how = match stage.is_virtual() {
        true => "in virtual time",
        false => "with real processes",
    };
    let mut play = Play {
        stage,
        hears,
        told: String::new(),
        from: 0,
    };
    play.tell(&format!("{}, {how}: {}\n", lesson.name, lesson.title));
    let ended = (lesson.play)(&mut play);
    // What is under way arrives.
    play.stage.pass(Duration::from_millis(20));
    (play, ended)
}

fn failover(play: &mut Play<'_>) -> Result<(), String> {
    play.room(5)?;
    play.talk(1, "before")?;
    let leader = play.stage.leader(0).unwrap_or(0);
    let name = play.stage.name(leader);
    play.say(&format!("{name} coordinates; its process is killed now"));
    let killed = play.stage.now();
    play.stage.kill(leader);
    play.demand("all that are left follow eva#5, the highest", |s| {
        is_one(s) && s.leader(1).is_some_and(|l| s.id(l) == Some(5))
    })?;
    let took = play.stage.now() - killed;
    let limit = match play.stage.is_virtual() {
        true => IMMEDIATELY,
        false => WITHOUT_A_SILENCE,
    };
    if took > limit {
        return Err(format!(
            "it took {}, and no time-out was to be waited for",
            shown(took.cast_signed())
        ));
    }
    let words = "nobody waited for a time-out: a port that refuses says that its process is dead";
    play.say(&format!("{words}; it took {}", shown(took.cast_signed())));
    play.talk(2, "after")?;
    let missing = up(play.stage)
        .into_iter()
        .any(|a| play.stage.texts(a) != ["before", "after"]);
    match missing {
        true => Err("a message is missing".to_owned()),
        false => {
            play.say("nobody has lost a message");
            Ok(())
        }
    }
}

fn classic_bully(play: &mut Play<'_>) -> Result<(), String> {
    play.room(5)?;
    play.say("bob#2 asks for an election, as a textbook's node does that notices a failure");
    play.stage.elect(1);
    play.demand("each higher one answers it, and asks those above itself; eva#5, whom nobody outranks, announces itself", |s| {
        is_one(s) && s.leader(0).is_some_and(|l| s.id(l) == Some(5))
    })?;
    play.stage.pass(Duration::from_millis(300));
    play.say("who has been answered waits; late answers change nothing");
    let is_kept = is_one(play.stage) && play.stage.leader(0) == Some(4);
    is_kept
        .then_some(())
        .ok_or_else(|| "eva#5 does not coordinate in the end".to_owned())
}

fn freeze(play: &mut Play<'_>) -> Result<(), String> {
    play.room(5)?;
    let leader = play.stage.leader(0).unwrap_or(0);
    let name = play.stage.name(leader);
    play.say(&format!(
        "{name} coordinates; its process is frozen now (SIGSTOP, or a suspended laptop)"
    ));
    play.stage.freeze(leader);
    play.say("its system still takes connections and data for it: only silence tells");
    play.demand(
        "the others give it up after a while, and follow eva#5",
        |s| is_one_of(s, &[1, 2, 3, 4]) && s.leader(1) == Some(4),
    )?;
    play.talk(2, "while it is frozen")?;
    play.say(&format!(
        "{name} runs again: for itself it is still the coordinator"
    ));
    play.stage.thaw(leader);
    play.demand(
        "it gives its office up before it says anything, asks in, and follows eva#5",
        |s| is_one(s) && s.leader(0) == Some(4),
    )?;
    play.demand("it has what was said meanwhile", |s| {
        s.texts(0).iter().any(|t| t == "while it is frozen")
    })?;
    Ok(())
}

/// These follow one of them, and no other is in their views.
fn is_one_of(stage: &dyn Scene, actors: &[usize]) -> bool {
    let leader = stage.leader(actors[0]);
    let agrees = |a: &usize| stage.leader(*a) == leader && stage.members(*a) == actors.len();
    leader.is_some_and(|l| actors.contains(&l)) && actors.iter().all(agrees)
}

fn split_brain(play: &mut Play<'_>) -> Result<(), String> {
    play.room(5)?;
    play.say("the network is cut: ana#1, who coordinates, and bob#2 on one side, the others on the other");
    for a in [0, 1] {
        for b in [2, 3, 4] {
            play.stage.cut(a, b)?;
        }
    }
    play.demand(
        "the side without a coordinator elects eva#5; now there are two, and neither can know",
        |s| is_one_of(s, &[2, 3, 4]) && s.leader(2) == Some(4),
    )?;
    play.talk(0, "here we are two")?;
    play.talk(3, "and here three")?;
    play.demand("ana#1 takes those out whom nobody on its side hears", |s| {
        is_one_of(s, &[0, 1])
    })?;
    play.say("the network is healed");
    for a in [0, 1] {
        for b in [2, 3, 4] {
            play.stage.heal(a, b);
        }
    }
    play.demand(
        "both groups hear of each other, and all follow the higher claim, eva#5's",
        |s| is_one(s) && s.leader(0) == Some(4),
    )?;
    play.demand(
        "all have what was said on both sides, in the same order",
        |s| s.texts(0).len() == 2 && up(s).iter().all(|a| s.texts(*a) == s.texts(0)),
    )
}

fn late_joiner(play: &mut Play<'_>) -> Result<(), String> {
    play.room(3)?;
    for n in 1..=5 {
        play.talk(n % 3, &format!("message {n}"))?;
    }
    play.say("dora starts");
    play.add("dora")?;
    play.demand(
        "dora#4 has an id from the coordinator, and is in everybody's view",
        |s| is_one(s) && s.id(3) == Some(4),
    )?;
    play.demand(
        "and it has all that was said before it came, in the same order",
        |s| s.texts(3).len() == 5 && s.texts(3) == s.texts(0),
    )?;
    play.talk(3, "thank you")
}

fn simultaneous_start(play: &mut Play<'_>) -> Result<(), String> {
    play.say("five nodes start in the same instant: nobody knows of anybody");
    for nick in NICKS.iter().take(5) {
        play.add(nick)?;
    }
    play.demand(
        "one of them has founded the room, and the others are in it",
        is_one,
    )?;
    let mut ids: Vec<u64> = up(play.stage)
        .into_iter()
        .filter_map(|a| play.stage.id(a))
        .collect();
    ids.sort_unstable();
    if ids != [1, 2, 3, 4, 5] {
        return Err(format!("the ids are {ids:?}"));
    }
    play.say("their ids are 1 to 5, each once: who heard a higher key waited a little longer");
    play.talk(0, "hello")?;
    Ok(())
}
