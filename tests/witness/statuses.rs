//! Every answer of the specification, one by one.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Barrier, thread};

use sluis::{
    note::{Note, NoteSigner},
    witness::{checkpoint_path, request},
};

use crate::{
    http::{Answer, get, post, send},
    lab::{Log, ORIGIN, Witness, command, write_config},
};

fn started() -> (tempfile::TempDir, Log, Witness) {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(ORIGIN);
    let witness = Witness::start(&write_config(folder.path(), "w1", log.key()));
    (folder, log, witness)
}

fn status(answer: Option<Answer>) -> u16 {
    answer.unwrap().status
}

fn newest(witness: &Witness) -> Option<Answer> {
    get(&witness.address, &format!("/{}", checkpoint_path(ORIGIN)))
}

#[test]
fn it_cosigns_what_only_grew_and_shows_the_newest() {
    let (folder, log, witness) = started();
    assert_eq!(status(newest(&witness)), 404);
    let mut old = 0;
    for size in [0, 1, 7, 8, 8, 100, 200] {
        let answer = post(&witness.address, &log.request(old, size)).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = log.checkpoint(size).to_string();
        let line = Note::parse(&format!("{text}\n{}", answer.body)).unwrap().signatures()[0].clone();
        let time = witness.key.verify(&text, &line).unwrap();
        assert!(time > 1_700_000_000);
        let shown = newest(&witness).unwrap();
        assert_eq!(shown.body, format!("{}{}", log.signed(size), answer.body), "log's line, then its own");
        old = size;
    }
    let mode = fs::metadata(folder.path().join("w1/witness.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_log_of_another_year_is_pinned_by_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let pkcs8 = NoteSigner::generate_pkcs8().unwrap();
    let mut log = Log::new(ORIGIN);
    log.signer = NoteSigner::from_pkcs8(ORIGIN, &pkcs8).unwrap();
    let witness = Witness::start(&write_config(folder.path(), "w1", log.key()));
    assert_eq!(status(post(&witness.address, &log.request(0, 9))), 200);
    log.signer = NoteSigner::from_pkcs8("test.example/region/2027", &pkcs8).unwrap();
    assert_eq!(status(post(&witness.address, &log.request(0, 3))), 200, "a log of its own");
    log.signer = NoteSigner::from_pkcs8(ORIGIN, &pkcs8).unwrap();
    assert_eq!(status(post(&witness.address, &log.request(9, 10))), 200);
}

#[test]
fn unknown_logs_and_keys() {
    let (_folder, log, witness) = started();
    let elsewhere = Log::new("test.example/elsewhere/2026");
    assert_eq!(status(post(&witness.address, &elsewhere.request(0, 5))), 404);
    let same_name = Log::new(ORIGIN);
    assert_eq!(status(post(&witness.address, &same_name.request(0, 5))), 403);
    // The right name and id, over another text.
    let (_, lines) = log.signed(6).rsplit_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let forged = format!("{}\n{lines}", log.checkpoint(5));
    assert_eq!(status(post(&witness.address, &request::write(0, &[], &forged))), 403);
    // A line of an unknown key beside a good one is passed over.
    let (_, unknown) =
        same_name.signed(5).rsplit_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let both = format!("{}{unknown}", log.signed(5));
    assert_eq!(status(post(&witness.address, &request::write(0, &[], &both))), 200);
    assert_eq!(newest(&witness).unwrap().body.lines().count(), 6, "and not kept");
}

#[test]
fn what_is_no_request() {
    let (_folder, log, witness) = started();
    let good = log.request(0, 5);
    for bad in [
        String::new(),
        "old 0".to_owned(),
        good.replacen("old 0", "old 00", 1),
        good.replacen("old 0\n", "", 1),
        good.replacen("old 0\n", "old 0\nnot base64\n", 1),
        good.replacen("\n5\n", "\nfive\n", 1),
        good.trim_end().to_owned(),
        request::write(0, &[[0; 32]; 64], &log.signed(5)),
    ] {
        assert_eq!(status(post(&witness.address, &bad)), 400, "{bad:?}");
    }
    assert_eq!(status(post(&witness.address, &request::write(6, &[], &log.signed(5)))), 400, "old above new");
    assert_eq!(status(post(&witness.address, &"x".repeat(70_000))), 413);
    assert_eq!(status(get(&witness.address, "/add-checkpoint")), 405);
    assert_eq!(status(get(&witness.address, "/")), 404);
    assert_eq!(status(get(&witness.address, "/checkpoint/../witness.key")), 404);
    assert_eq!(status(newest(&witness)), 404, "nothing of this was cosigned");
}

#[test]
fn conflicts_tell_the_size_and_proofs_are_checked() {
    let (folder, mut log, witness) = started();
    let conflict =
        |size: &str| Some(Answer { status: 409, kind: "text/x.tlog.size".to_owned(), body: size.to_owned() });
    assert_eq!(post(&witness.address, &log.request(3, 9)), conflict("0\n"));
    assert_eq!(status(post(&witness.address, &log.request(0, 9))), 200);
    for old in [0, 8] {
        assert_eq!(post(&witness.address, &log.request(old, 9)), conflict("9\n"));
    }
    let sized = |proof: &[_]| request::write(9, proof, &log.signed(20));
    let mut proof = log.proof(9, 20);
    assert_eq!(status(post(&witness.address, &sized(&[]))), 422);
    proof[0][0] ^= 1;
    assert_eq!(status(post(&witness.address, &sized(&proof))), 422);
    proof[0][0] ^= 1;
    assert_eq!(status(post(&witness.address, &sized(&[proof.clone(), vec![[0; 32]]].concat()))), 422);
    assert_eq!(
        status(post(&witness.address, &request::write(9, &[[0; 32]], &log.signed(9)))),
        422,
        "needs none"
    );

    // Another history under the same key: never cosigned, and kept as evidence where it contradicts by itself.
    log.rewrite(4);
    assert_eq!(post(&witness.address, &log.request(9, 9)), conflict("9\n"));
    assert_eq!(status(post(&witness.address, &log.request(9, 20))), 422);
    let kept: Vec<_> = fs::read_dir(folder.path().join("w1/evidence")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read_to_string(kept[0].as_ref().unwrap().path()).unwrap(), log.signed(9));
}

#[test]
fn of_many_at_once_one_history_is_cosigned() {
    let (_folder, log, witness) = started();
    assert_eq!(status(post(&witness.address, &log.request(0, 10))), 200);
    let forks: Vec<String> = (0..12)
        // Sizes differ, so each is another checkpoint from the same old size.
        .map(|n| request::write(10, &log.proof(10, 20 + n), &log.signed(20 + n)))
        .collect();
    let start = Barrier::new(forks.len());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let send = |body: &String| {
            start.wait();
            status(post(&witness.address, body))
        };
        let threads: Vec<_> = forks.iter().map(|body| scope.spawn(move || send(body))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 11, "{statuses:?}");
}

#[test]
fn a_connection_is_kept_and_an_idle_one_holds_up_nobody() {
    let (_folder, log, witness) = started();
    // Many that say nothing.
    let _idle: Vec<_> = (0..50).map(|_| std::net::TcpStream::connect(&witness.address).unwrap()).collect();
    let one = log.request(0, 5);
    let two = log.request(5, 6);
    let head = |body: &str, connection: &str| {
        format!(
            "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let both =
        send(&witness.address, format!("{}{}", head(&one, "keep-alive"), head(&two, "close")).as_bytes());
    let both = both.unwrap();
    assert_eq!(both.status, 200);
    assert!(both.body.contains("HTTP/1.1 200 OK"), "the second answer on the same connection: {both:?}");
}

#[test]
fn what_it_needs_it_has_or_it_does_not_start() {
    let (folder, log, mut witness) = started();
    let config = folder.path().join("w1.toml");
    let refused = |why: &str| {
        let out = command(&config).output().unwrap();
        let told = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{told}");
        assert!(told.contains(why), "{told}");
    };
    refused("another witness is running");
    assert_eq!(status(post(&witness.address, &log.request(0, 9))), 200);
    witness.kill();
    let key = folder.path().join("w1/witness.key");
    let aside = folder.path().join("aside");
    fs::rename(&key, &aside).unwrap();
    refused("is missing");
    fs::rename(&aside, &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    refused("chmod 600");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let stored = fs::read_dir(folder.path().join("w1/logs")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&stored).unwrap();
    fs::write(&stored, text.replacen("\n9\n", "\n8\n", 1)).unwrap();
    refused("is not a checkpoint that this witness cosigned");
    fs::write(&stored, text).unwrap();
    let again = Witness::start(&config);
    assert_eq!(again.key, witness.key);
    assert_eq!(post(&again.address, &log.request(0, 9)).unwrap().body, "9\n");
}
