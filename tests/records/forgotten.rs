//! What is forgotten has no record; what does not fit its entry has one that says so.

use sluis::{
    config::Settings,
    domain::{Clock as _, time::SystemClock},
    storage::DatabaseAddress,
};
use sqlx::Connection as _;

use crate::{
    lab::{Region, handed_on},
    receiver::{Receiver, text},
};

/// Longer than any term.
const CENTURY_MS: i64 = 100 * 366 * 24 * 3_600_000;

impl Region {
    /// Forgets all that has a term.
    async fn forget(&self) {
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        let store = self.stored().await;
        let terms = settings.retention.terms(SystemClock.now().plus_millis(CENTURY_MS));
        while store.expire(&terms, 1_000).await.unwrap() > 0 {}
        store.close().await;
    }

    /// Puts something else where the facts of the newest look are.
    async fn spoil(&self) {
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        let statement = "update entry set facts = facts_salt \
             where position = (select max(position) from entry where kind = 'access')";
        let changed = match &settings.database {
            DatabaseAddress::Folder(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("sluis.db"));
                let mut file = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                let done = sqlx::query(statement).execute(&mut file).await.unwrap();
                file.close().await.unwrap();
                done.rows_affected()
            }
            DatabaseAddress::Postgres(url) => {
                let mut server = crate::database::connect(url.reveal()).await;
                sqlx::query(statement).execute(&mut server).await.unwrap().rows_affected()
            }
        };
        assert_eq!(changed, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_has_no_record_and_what_does_not_fit_says_so() {
    let (mut region, mut receiver) = (Region::new(|_| {}).await, Receiver::start(&[]).await);
    region.serve("sluis.toml").await;
    region.live().await;
    let forgotten = handed_on(region.store().as_ref()).await;
    region.stop().await;
    region.forget().await;
    region.serve("sluis.toml").await;
    region.look().await;
    let spoilt = *handed_on(region.store().as_ref()).await.last().unwrap();
    region.stop().await;
    region.spoil().await;
    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    region.look().await;
    let wanted = &handed_on(region.store().as_ref()).await - &forgotten;
    receiver.until("what is not forgotten", |stored| stored.positions.is_superset(&wanted)).await;
    region.stop().await;
    let stored = receiver.stored.lock().unwrap();
    assert_eq!(stored.positions, wanted);
    for (span, _) in stored.spans.values() {
        let attribute = |name| text(&span.attributes, name);
        let unreadable = attribute("exception.type").as_deref() == Some("ENTRY_UNREADABLE");
        assert_eq!(unreadable, attribute("dpl.sluis.position") == Some(spoilt.to_string()));
    }
}
