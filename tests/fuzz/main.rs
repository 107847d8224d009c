//! A short run of every fuzz target with every test run: seeds, spoilt in known ways. `fuzz/` goes on where this ends.
//!
//! ```text
//! SLUIS_FUZZ_SEED=7 cargo test --test fuzz          # another run
//! SLUIS_FUZZ_SECONDS=600 cargo test --test fuzz     # a longer one, that long for each target
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

mod json;
mod random;
mod text;
mod wire;

use std::{
    collections::BTreeMap,
    env, fs, panic,
    path::Path,
    time::{Duration, Instant},
};

use sluis::fuzzing::{TARGETS, seeds};

use self::random::Random;

/// Inputs of each target, at least.
const INPUTS: u32 = 20_000;

/// Spoils the first input, perhaps with parts of the second. Tells what it did.
type Spoil = fn(&[u8], &[u8], &mut Random) -> (Vec<u8>, &'static str);

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// Spoils seeds, up to three times each, and hands them to the target. Every way to spoil, `ways` of them, must have
/// come up, and both verdicts; at least one input in `hundred` of a hundred must have been let in.
fn run(name: &str, spoil: Spoil, ways: &[&'static str], hundred: u32) {
    let (_, target) = TARGETS.into_iter().find(|(target, _)| *target == name).unwrap();
    let seed = setting("SLUIS_FUZZ_SEED", 20_261_127);
    let least = Duration::from_secs(setting("SLUIS_FUZZ_SECONDS", 0));
    let seeds = seeds::of(name);
    let let_in = seeds.iter().filter(|seed| target(seed)).count();
    assert!(let_in + 1 >= seeds.len() && let_in > 0, "{name}: {let_in} of {} seeds are let in", seeds.len());

    let (mut random, begun) = (Random::new(seed), Instant::now());
    let (mut inputs, mut accepted, mut spoilt) = (0, 0, BTreeMap::<_, u32>::new());
    while inputs < INPUTS || begun.elapsed() < least {
        let mut input = random.of(&seeds).clone();
        for _ in 0..=random.below(3) {
            let (next, way) = spoil(&input, random.of(&seeds).clone().as_slice(), &mut random);
            *spoilt.entry(way).or_default() += 1;
            input = next;
        }
        inputs += 1;
        match panic::catch_unwind(|| target(&input)) {
            Ok(verdict) => accepted += u32::from(verdict),
            Err(found) => {
                println!("{name}: SLUIS_FUZZ_SEED={seed}, input {inputs}: {}", hex::encode(&input));
                panic::resume_unwind(found);
            }
        }
    }
    println!(
        "{name}: seed {seed}, {inputs} inputs in {:.1} s, {accepted} accepted, {} refused; {spoilt:?}",
        begun.elapsed().as_secs_f64(),
        inputs - accepted
    );
    for way in ways {
        assert!(
            spoilt.get(way).is_some_and(|count| *count > 100),
            "{name}: hardly anything was spoilt by {way}"
        );
    }
    assert!(accepted * 100 >= inputs * hundred, "{name}: too little is let in to be worth the while");
    assert!((inputs - accepted) * 100 >= inputs * 10, "{name}: too little is refused to be worth the while");
}

#[test]
fn statements() {
    let spoil = |input: &[u8], other: &[u8], random: &mut Random| {
        // The first byte chooses what is asked.
        let (choice, wire) = input.split_first().map_or((0xff, &[][..]), |(choice, wire)| (*choice, wire));
        let choice = if random.below(8) == 0 { random.byte() } else { choice };
        let (spoilt, way) = wire::spoil(wire, other.get(1..).unwrap_or_default(), random);
        ([vec![choice], spoilt].concat(), way)
    };
    run("statement", spoil, &wire::WAYS, 5);
}

#[test]
fn masks() {
    run("mask", text::spoil, &text::WAYS, 5);
}

#[test]
fn requests() {
    run("request", wire::spoil, &wire::WAYS, 5);
}

#[test]
fn forms() {
    let spoil = |input: &[u8], other: &[u8], random: &mut Random| {
        if random.below(3) == 0 {
            text::spoil(input, other, random)
        } else {
            json::spoil(input, other, random)
        }
    };
    run("form", spoil, &[text::WAYS.as_slice(), json::WAYS.as_slice()].concat(), 1);
}

#[test]
fn imports() {
    let spoil = |input: &[u8], other: &[u8], random: &mut Random| {
        // The first byte chooses the format, and stays.
        let (choice, file) = input.split_first().map_or((0, &[][..]), |(choice, file)| (*choice, file));
        let (spoilt, way) = text::spoil(file, other.get(1..).unwrap_or_default(), random);
        ([vec![choice], spoilt].concat(), way)
    };
    run("import", spoil, &text::WAYS, 5);
}

/// The seeds that `fuzz/` starts from are those of the catalogue as it is. `cargo run --example fuzz_seeds` writes them.
#[test]
fn the_seeds_in_the_repository_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus-seeds");
    for (name, _) in TARGETS {
        let seeds = seeds::of(name);
        let kept = fs::read_dir(folder.join(name)).map_or(0, Iterator::count);
        assert_eq!(kept, seeds.len(), "{name}: run `cargo run --example fuzz_seeds`");
        for (number, seed) in seeds.iter().enumerate() {
            let kept = fs::read(folder.join(name).join(format!("{number:02}"))).unwrap();
            assert!(kept == *seed, "{name} {number}: run `cargo run --example fuzz_seeds`");
        }
    }
}
