//! A full disk: nothing is served that the log cannot hold, and the log goes on where it was once there is room.

use std::sync::Arc;

use sluis::{
    app::Gateway,
    config::Settings,
    demo::{World, data},
    domain::time::SystemClock,
    proto::{self, GrantStatus, withdraw_consent_request::Selector},
};
use tonic::Code;

use crate::{
    bad_tools::{Expected, assert_pairs, assert_refused},
    lab::{BSN, Entry, Lab, question, read_log},
};

const UNAVAILABLE: Expected = (Code::Unavailable, "LOG_UNAVAILABLE", &[]);

impl Lab {
    /// Lets the database grow no further, and asks until it is full, down to the smallest entry there is.
    async fn fill(&self) {
        self.no_room().await;
        while self.ask_until_full().await.is_some() {}
        let officer = self.client("fg").await;
        let mut looked = Ok(());
        for _ in 0..100 {
            looked = officer.audit().get_checkpoint(proto::GetCheckpointRequest::default()).await.map(drop);
            if looked.is_err() {
                break;
            }
        }
        assert_refused("full", &looked.expect_err("the disk does not fill"), UNAVAILABLE);
    }

    /// Asks, and gives the number of entries that this left; `None` if it was not answered and left none.
    async fn ask_until_full(&self) -> Option<usize> {
        let before = self.size().await;
        let answer = self.ask("waterrijk", question()).await;
        let log = self.log(before).await;
        if let Err(status) = answer {
            assert_refused("full", &status, UNAVAILABLE);
            // Either half of the pair may have been too much; what is in the log is whole, and releases nothing.
            assert!(log.len() <= 1 && log.iter().all(|entry| entry.kind == "request"), "{log:?}");
        } else {
            assert_eq!(log.len(), 2);
        }
        (!log.is_empty()).then_some(log.len())
    }
}

fn outcomes<'a>(log: &'a [Entry], effect: &str) -> Vec<&'a Entry> {
    log.iter().filter(|entry| entry.kind == "outcome" && entry.facts["effect"] == effect).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_while_the_log_cannot_be_written_nothing_is_served() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let (kade, uwv) = (lab.client("kade").await, lab.client("uwv").await);
    lab.fill().await;
    let full = lab.size().await;

    let repeated = question();
    let mut refusals = vec![("ask", lab.ask("waterrijk", repeated.clone()).await.map(drop))];
    let wrong = proto::RequestWorkCapacityRequest { purpose: "AFTERCARE".into(), ..question() };
    refusals.push(("ask wrongly", lab.ask("waterrijk", wrong).await.map(drop)));
    let form = lab.sign("kade", &data::MAIN_FORM.replace(BSN, "999990196"));
    refusals.push(("record", kade.consent().record_consent(form.clone()).await.map(drop)));
    let bad = proto::RecordConsentRequest { bsn: String::new(), ..form.clone() };
    refusals.push(("record wrongly", kade.consent().record_consent(bad).await.map(drop)));
    let selector = Some(Selector::FormId(recorded.form_id.clone()));
    let withdrawal = proto::WithdrawConsentRequest { selector };
    refusals.push(("withdraw", kade.consent().withdraw_consent(withdrawal.clone()).await.map(drop)));
    let confirm = proto::ConfirmGrantRequest { grant_id: recorded.grants[0].grant_id.clone() };
    refusals.push(("confirm", uwv.consent().confirm_grant(confirm).await.map(drop)));
    let shown = proto::GetConsentRequest { form_id: recorded.form_id.clone() };
    refusals.push(("show", kade.consent().get_consent(shown.clone()).await.map(drop)));
    let looked = kade.audit().get_checkpoint(proto::GetCheckpointRequest::default()).await;
    refusals.push(("look", looked.map(drop)));
    for (what, refusal) in refusals {
        assert_refused(what, &refusal.expect_err(what), UNAVAILABLE);
    }
    assert_eq!(lab.size().await, full, "nothing was done");
    // A count that cannot be written is kept.
    let sluisdam = lab.client("sluisdam").await.audit();
    let refused = { sluisdam }.get_checkpoint(proto::GetCheckpointRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(lab.world.gateway.flush_counts().await.is_err());

    lab.room().await;
    assert_eq!(lab.turned_away().await.get(&lab.oin("sluisdam")), Some(&1));
    let again = lab.ask("waterrijk", repeated).await.expect("an id that is not in the log was not used");
    assert_eq!(again.disclosures.len(), 2, "it goes on without a restart, and the consent was not touched");
    assert_eq!(kade.consent().record_consent(form).await.unwrap().into_inner().grants.len(), 2);
    kade.consent().withdraw_consent(withdrawal).await.unwrap();
    let consent = kade.consent().get_consent(shown).await.unwrap().into_inner();
    assert!(consent.grants.iter().all(|grant| grant.status() == GrantStatus::Withdrawn));
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_a_request_whose_outcome_found_no_room_is_closed_as_interrupted() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let mut halves = 0;
    for _ in 0..60 {
        lab.a_little_room().await;
        loop {
            match lab.ask_until_full().await {
                Some(1) => {
                    halves += 1;
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        if halves > 0 {
            break;
        }
    }
    assert!(halves > 0, "no request was left alone");
    lab.room().await;
    assert!(lab.ask("waterrijk", question()).await.is_ok());
    let open = lab.log(0).await.iter().filter(|entry| entry.kind == "request").count()
        - lab.log(0).await.iter().filter(|entry| entry.kind == "outcome").count();
    assert_eq!(open, halves);

    let World { dir, gateway, .. } = lab.world;
    gateway.stop().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings::load(&dir.join("sluis.toml")).unwrap();
    let gateway = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.unwrap();
    let log = read_log(gateway.store.as_ref(), 0).await;
    assert_pairs(&log);
    let interrupted = outcomes(&log, "interrupted");
    assert_eq!(interrupted.len(), halves);
    assert!(interrupted.iter().all(|entry| entry.facts.get("released").is_none()));
    gateway.stop().await;
}
