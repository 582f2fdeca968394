//! Runs a target over its corpus and over random cases, and keeps what fails.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz");

/// How many random cases there are: `PAPO_FUZZ_CASES`, or so many that a test takes a second.
fn cases(few: u64) -> u64 {
    number("PAPO_FUZZ_CASES").unwrap_or(few)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The kept cases of a target, by the names of their files.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(FUZZ).join("corpus").join(target);
    let mut kept: Vec<_> = std::fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.expect("a directory can be read").path();
            let name = path.file_name().unwrap_or_default();
            let bytes = std::fs::read(&path).expect("a file can be read");
            (name.to_string_lossy().into_owned(), bytes)
        })
        .collect();
    kept.sort();
    kept
}

/// Runs `run` over the corpus, and over `few` cases that `make` makes (or as many as the environment
/// says).
pub fn fuzz(
    target: &str,
    few: u64,
    mut make: impl FnMut(&mut Rng, &[Vec<u8>]) -> Vec<u8>,
    run: impl Fn(&[u8]),
) {
    let kept = corpus(target);
    for (name, bytes) in &kept {
        eprintln!("{target}: {name}");
        run(bytes);
    }
    let seeds: Vec<Vec<u8>> = kept.into_iter().map(|(_, bytes)| bytes).collect();
    let seed = number("PAPO_FUZZ_SEED");
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let mut rng = Rng::with_seed(seed);
    for _ in 0..cases(few) {
        let bytes = make(&mut rng, &seeds);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&bytes))) {
            let path = keep(target, &bytes);
            eprintln!("{target}: seed {seed}: the case is in {}", path.display());
            std::panic::resume_unwind(panic);
        }
    }
}

fn keep(target: &str, bytes: &[u8]) -> PathBuf {
    let directory = Path::new(FUZZ).join("found");
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    let path = directory.join(format!("{target}-{:016x}", hasher.finish()));
    std::fs::write(&path, bytes).expect("a file can be written");
    path
}
