//! Whatever it answered for, it remembers: `kill -9` at any moment, and a start after it.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use sluis::{audit::checkpoint::Checkpoint, note::Note, witness::checkpoint_path};

use crate::{
    http::{get, post},
    lab::{Log, ORIGIN, Witness, write_config},
};

fn size_of(witness: &Witness) -> usize {
    let Some(shown) = get(&witness.address, &format!("/{}", checkpoint_path(ORIGIN))) else { return 0 };
    if shown.status == 404 {
        return 0;
    }
    let note = Note::parse(&shown.body).unwrap();
    let (_, found) = note.clone().without_cosignatures(std::slice::from_ref(&witness.key));
    assert!(found[0].time.is_some());
    Checkpoint::parse(note.unverified_text()).unwrap().size.try_into().unwrap()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(ORIGIN);
    let config = write_config(folder.path(), "w1", log.key());
    // Acknowledged so far, told as the answers come.
    let acknowledged = AtomicUsize::new(0);
    for round in 0..12_u64 {
        let mut witness = Witness::start(&config);
        let from = size_of(&witness);
        let known = acknowledged.load(Ordering::SeqCst);
        assert!(from >= known, "cosigned {known} and remembers {from}");
        // One more than acknowledged may have been stored without an answer, and no more.
        assert!(from <= known + 1, "remembers {from} of {known}");
        acknowledged.store(from, Ordering::SeqCst);
        let address = witness.address.clone();
        thread::scope(|scope| {
            let (log, acknowledged) = (&log, &acknowledged);
            scope.spawn(move || {
                for size in from + 1..200 {
                    match post(&address, &log.request(size - 1, size)) {
                        Some(answer) if answer.status == 200 => acknowledged.store(size, Ordering::SeqCst),
                        Some(answer) => panic!("{answer:?}"),
                        None => return,
                    }
                }
            });
            // At another moment each time; the first at once after an answer.
            let until = Instant::now() + Duration::from_millis(3 * round);
            while acknowledged.load(Ordering::SeqCst) == from || Instant::now() < until {
                thread::yield_now();
            }
            witness.kill();
        });
    }
    assert!(acknowledged.load(Ordering::SeqCst) >= 12);
}

/// What could not be stored is not cosigned, and neither is anything after it, until a restart has read what stands there.
#[test]
fn what_cannot_be_stored_is_not_cosigned() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(ORIGIN);
    let config = write_config(folder.path(), "w1", log.key());
    let witness = Witness::start(&config);
    let status =
        |witness: &Witness, old, size| post(&witness.address, &log.request(old, size)).unwrap().status;
    assert_eq!(status(&witness, 0, 5), 200);
    // A folder in its place, which no file replaces.
    let name = checkpoint_path(ORIGIN).rsplit('/').next().unwrap().to_owned();
    let (stored, aside) = (folder.path().join(format!("w1/logs/{name}")), folder.path().join("aside"));
    fs::rename(&stored, &aside).unwrap();
    fs::create_dir(&stored).unwrap();
    assert_eq!(status(&witness, 5, 6), 500);
    fs::remove_dir(&stored).unwrap();
    fs::rename(&aside, &stored).unwrap();
    assert_eq!(status(&witness, 5, 6), 500);
    drop(witness);
    let witness = Witness::start(&config);
    assert_eq!(size_of(&witness), 5);
    assert_eq!(status(&witness, 5, 6), 200);
}

#[test]
fn it_stops_in_order_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(ORIGIN);
    let mut witness = Witness::start(&write_config(folder.path(), "w1", log.key()));
    assert_eq!(post(&witness.address, &log.request(0, 5)).unwrap().status, 200);
    let _idle = std::net::TcpStream::connect(&witness.address).unwrap();
    assert_eq!(witness.terminate(), Some(0));
}
