//! Completions, asked for as a shell does.

use crate::harness::{Room, shared};

/// What bash offers for the last of these words.
fn offered(room: &Room<'_>, words: &[&str]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(papo completions bash)
         COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9
         _clap_complete_papo papo \"${{COMP_WORDS[COMP_CWORD]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1
    );
    let bash = room.bash("bash", &script).start();
    assert_eq!(bash.exit(), 0, "{}", bash.stderr());
    let offered = bash.stdout();
    let words = offered.lines().map(|line| line.trim().to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn commands_options_interfaces_and_rooms_are_offered() {
    let permit = shared();
    let room = Room::new(&permit);
    assert_eq!(offered(&room, &["papo", "sc"]), ["scan"]);
    assert_eq!(
        offered(&room, &["papo", "doctor", "--interf"]),
        ["--interface"]
    );
    let colours = offered(&room, &["papo", "--color", ""]);
    assert_eq!(colours, ["auto", "always", "never"]);
    let interfaces = offered(&room, &["papo", "--interface", "l"]);
    assert!(interfaces.contains(&"lo".to_owned()), "{interfaces:?}");
    let ana = room.join("ana");
    ana.joined();
    // Whoever is asked would run this.
    let trap = room.called("$(reboot)").join("trap");
    trap.joined();
    let rooms = offered(&room, &["papo", "scan", "--room", ""]);
    assert_eq!(rooms, [room.name.as_str()]);
}

#[test]
fn each_shell_has_a_script() {
    let permit = shared();
    let room = Room::new(&permit);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = room.raw(&["completions", shell]).start();
        assert_eq!(script.exit(), 0, "{shell}: {}", script.stderr());
        assert!(script.stdout().contains("PAPO_COMPLETE"), "{shell}");
    }
}
