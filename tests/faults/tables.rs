//! Each table that a batch writes fails at its turn, in the database itself. Nothing of the batch is there then: the same
//! works can be given again, and no id of theirs was used.

use std::sync::Arc;

use sluis::{
    audit::writer::CommitFault,
    domain::{PairId, Timestamp},
    storage::{DatabaseAddress, schema},
};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::{
    database,
    faulty::Faulty,
    site::{Running, Site},
    tasks::Task,
    told::Told,
};

crate::on_both!(p04_a_batch_of_which_one_table_fails);

/// Statements on the database itself, beside the store that has it open.
async fn run(site: &Site, statements: String) {
    match &site.address {
        DatabaseAddress::Folder(folder) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("sluis.db"));
            let mut file = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut file).await.unwrap();
            file.close().await.unwrap();
        }
        DatabaseAddress::Postgres(url) => {
            let mut server = database::connect(url.reveal()).await;
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut server).await.unwrap();
        }
    }
}

fn fails(site: &Site, table: &str, act: &str, code: &str) -> String {
    match &site.address {
        DatabaseAddress::Folder(_) => {
            format!("create trigger fails before {act} on {table} begin select raise(fail, 'no'); end")
        }
        DatabaseAddress::Postgres(_) => format!(
            "create or replace function fails() returns trigger language plpgsql as \
             $$ begin raise exception 'no' using errcode = '{code}'; end $$; \
             create trigger fails before {act} on {table} for each row execute function fails()"
        ),
    }
}

fn holds(site: &Site, table: &str) -> String {
    match &site.address {
        DatabaseAddress::Folder(_) => "drop trigger fails".to_owned(),
        DatabaseAddress::Postgres(_) => format!("drop trigger fails on {table}"),
    }
}

/// What is written by every batch of this test, and how.
const WRITTEN: [(&str, &str); 13] = [
    ("entry", "insert"),
    ("tile", "insert"),
    ("open_request", "insert"),
    ("open_request", "delete"),
    ("used_request_id", "insert"),
    ("client_key", "insert"),
    ("consent_form", "insert"),
    ("consent_grant", "insert"),
    ("consent_event", "insert"),
    ("source_pause", "insert"),
    ("disclosure", "insert"),
    ("acknowledged", "insert"),
    ("head", "insert"),
];

/// Something for each of these tables, and enough entries for a tile.
async fn batch(running: &Running, told: &mut Told, client: usize) -> Vec<Task> {
    let (record, grant) = Task::record(client);
    let (open, other) = (PairId::random(), PairId::random());
    for task in [record, Task::ask(open, client), Task::ask(other, client)] {
        told.take(&running.log.commit(task.work()).await.unwrap());
    }
    let mut tasks = vec![
        Task::record(client + 1).0,
        Task::ask(PairId::random(), client + 2),
        Task::Close(open),
        Task::Release { pair: other, grant },
        Task::Pause(PairId::random()),
        Task::Acknowledge(PairId::random()),
    ];
    tasks.extend((0..260).map(|_| Task::note()));
    tasks
}

async fn p04_a_batch_of_which_one_table_fails(site: Site) {
    let shared = matches!(site.address, DatabaseAddress::Postgres(_));
    // What a trigger of SQLite raises is a broken rule, which stops the log.
    let codes: &[(&str, bool)] =
        if shared { &[("disk_full", true), ("io_error", false)] } else { &[("constraint", false)] };
    let mut faulty = Faulty::before(site.open().await);
    let mut running = site.writer_on(Arc::<Faulty>::clone(&faulty)).await;
    let (mut told, mut client) = (Told::default(), 0);
    for (table, act) in WRITTEN {
        assert!(schema::TABLES.iter().any(|known| known.name == table), "{table}");
        for (code, goes_on) in codes {
            let name = format!("{act} {table}, {code}");
            client += 10;
            let tasks = batch(&running, &mut told, client).await;
            let works = || tasks.iter().map(Task::work).collect();
            let size = running.store.head().await.unwrap().unwrap().size;
            run(&site, fails(&site, table, act, code)).await;
            let refused = faulty.together(&running.log, works(), Vec::new()).await;
            run(&site, holds(&site, table)).await;
            let unavailable = |result: &Result<_, _>| matches!(result, Err(CommitFault::Unavailable(_)));
            assert!(refused.iter().all(unavailable), "{name}");
            assert_eq!(running.store.head().await.unwrap().unwrap().size, size, "{name}");
            assert_eq!(running.log.is_writing(), *goes_on, "{name}");
            if !goes_on {
                running.stop().await;
                drop(faulty);
                faulty = Faulty::before(site.open().await);
                running = site.writer_on(Arc::<Faulty>::clone(&faulty)).await;
            }
            for done in faulty.together(&running.log, works(), Vec::new()).await {
                told.take(&done.unwrap_or_else(|fault| panic!("{name}: {fault}, though nothing was there")));
            }
        }
    }
    running.close_interrupted(Timestamp::from_millis(i64::MAX)).await.unwrap();
    told.check(&site, running.store.as_ref(), &[]).await;
    running.stop().await;
}
