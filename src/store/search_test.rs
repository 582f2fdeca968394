//! What a search finds, and that it can stop.

use super::*;

#[test]
fn searching_takes_time_nick_and_words() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let hour = 3_600_000 << 16;
    let said = [
        (1, "Lunch at noon?"),
        (2, "no lunch today, \"sorry\""),
        (1, "Café über-crème"),
        (2, "a -quoted: (weird) AND* text"),
    ];
    let all: Vec<_> = (1..)
        .zip(said)
        .map(|(n, (who, text))| message(who, n, n * hour, text))
        .collect();
    commit(&mut store, &all);
    let words = |words: &str| Search {
        words: Some(words.into()),
        ..Search::default()
    };
    // Whether they are in the index or not.
    for indexed in [0, 2, 4] {
        for _ in 0..indexed {
            store.index(1, u64::MAX).unwrap();
        }
        assert_eq!(texts(&store, &words("LUNCH")), [said[0].1, said[1].1]);
        assert_eq!(texts(&store, &words("cafe")), [said[2].1]);
    }
    assert_eq!(texts(&store, &words("lunch \"sorry\"")), [said[1].1]);
    assert_eq!(texts(&store, &words("cafe creme")), [said[2].1]);
    assert_eq!(texts(&store, &words("lun*")).len(), 2);
    assert_eq!(texts(&store, &words("lun")).len(), 0);
    assert_eq!(texts(&store, &words("(weird)")), [said[3].1]);
    for odd in [
        "",
        "*",
        "\"",
        "text:x OR",
        "NEAR(",
        "a\0b",
        "{",
        "-",
        "^",
        "!!!",
    ] {
        texts(&store, &words(odd));
    }
    // A nick is no text.
    assert_eq!(texts(&store, &words("nick")).len(), 0);
    let from = |nick: &str| Search {
        from: Some(nick.into()),
        ..Search::default()
    };
    assert_eq!(texts(&store, &from("nick 2")), [said[1].1, said[3].1]);
    assert_eq!(texts(&store, &from("NICK 2")), [said[1].1, said[3].1]);
    let since = Search {
        since_ms: Some(2 * 3_600_000),
        ..Search::default()
    };
    assert_eq!(texts(&store, &since), [said[1].1, said[2].1, said[3].1]);
    let until = Search {
        until_ms: Some(2 * 3_600_000),
        ..since.clone()
    };
    assert_eq!(texts(&store, &until).len(), 0);
    let until = Search {
        until_ms: Some(3 * 3_600_000),
        ..since
    };
    assert_eq!(texts(&store, &until), [said[1].1]);
    let both = Search {
        from: Some("nick 1".into()),
        words: Some("lunch".into()),
        ..Search::default()
    };
    assert_eq!(texts(&store, &both), [said[0].1]);
}

#[test]
fn a_search_can_stop_and_comes_in_pieces() {
    let dir = Scratch::new();
    let mut store = open(&dir.file()).unwrap();
    let all: Vec<_> = (1..=1_777).map(|n| message(1, n, n, "word")).collect();
    commit(&mut store, &all);
    let words = Search {
        words: Some("word".into()),
        ..Search::default()
    };
    for search in [Search::default(), words] {
        assert_eq!(texts(&store, &search).len(), 1_777);
        let mut taken = 0;
        store
            .search(&search, |_| {
                taken += 1;
                taken < 700
            })
            .unwrap();
        assert_eq!(taken, 700);
    }
}
