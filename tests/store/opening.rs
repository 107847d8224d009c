//! Which databases are opened, and which are refused, with what to mend.

use sluis::storage::{Database, OpenFault};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::{
    database,
    lab::{Place, entry},
    proxy::{Mood, Proxy},
};

async fn refused(url: &str) -> OpenFault {
    Database::open(&url.parse().unwrap()).await.map(drop).unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_server_that_does_not_wait_for_the_disk_is_refused() {
    let url = database::fresh().await;
    for setting in ["off", "local", "remote_write"] {
        let fault = refused(&format!("{url}%20-c%20synchronous_commit%3D{setting}")).await;
        assert!(matches!(fault, OpenFault::Setting(_)), "{setting}: {fault}");
        assert!(fault.to_string().contains("synchronous_commit"), "{fault}");
    }
}

/// The setting is taken away while the gateway runs: its next session has it no longer.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_server_that_stops_to_wait_for_the_disk_is_written_no_more() {
    let server = database::server();
    let name = format!("d_{}", uuid::Uuid::new_v4().simple());
    let mut outside = database::connect(&server).await;
    let run = async |outside: &mut sqlx::PgConnection, statement: String| {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(outside).await.unwrap();
    };
    run(&mut outside, format!("create database {name}")).await;
    let (before, _) = server.rsplit_once('/').unwrap();
    let url = format!("{before}/{name}");
    let place = Place::at(&url);
    let store = place.open().await;
    let log = place.writer(&store).await;
    log.commit(entry(0)).await.unwrap();
    run(&mut outside, format!("alter database {name} set synchronous_commit = off")).await;
    log.commit(entry(1)).await.unwrap();
    let mut inside = database::connect(&url).await;
    sqlx::raw_sql(
        "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut inside)
    .await
    .unwrap();
    assert!(log.commit(entry(2)).await.is_err());
    assert!(!log.is_writing());
    assert_eq!(store.head().await.unwrap().unwrap().size, 2);
    store.close().await;
    inside.close().await.unwrap();
    run(&mut outside, format!("drop database {name} with (force)")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused() {
    let place = Place::postgres().await;
    place.open().await.close().await;
    let mut outside = database::connect(place.url()).await;
    sqlx::raw_sql(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9999, 'of tomorrow', true, '\\x00', 0)",
    )
    .execute(&mut outside)
    .await
    .unwrap();
    assert!(matches!(refused(place.url()).await, OpenFault::Migration(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_may_make_the_tables_at_the_same_time() {
    let url = database::fresh().await;
    let all = (0..8)
        .map(|_| async { Database::open(&url.parse().unwrap()).await.map(|database| database.shared()) });
    let stores = futures_util::future::join_all(all).await;
    let alone = stores.iter().filter(|store| store.as_ref().unwrap().is_alone()).count();
    assert!(alone <= 1, "{alone} of 8 take themselves to be alone");
    for store in stores {
        store.unwrap().close().await;
    }
    let last = Database::open(&url.parse().unwrap()).await.unwrap().shared();
    assert!(last.is_alone());
}

/// A server needs a while to see a session go. Here it never does.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_has_stopped_is_not_there_any_more() {
    let proxy = Proxy::before(&database::fresh().await).await;
    let place = Place::at(&proxy.url);
    let first = place.open().await;
    proxy.set(Mood::KeepsTheEnd);
    first.close().await;
    assert!(place.open().await.is_alone());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_refused_without_showing_the_password() {
    let url = database::fresh().await;
    let (user, rest) = url.split_once('@').unwrap();
    let password = user.rsplit_once(':').unwrap().1;
    let wrong_password = format!("{}geheim@{rest}", user.trim_end_matches(password));
    let (server, _) = rest.split_once('/').unwrap();
    for wrong in [
        wrong_password,
        format!("{user}@{server}/there_is_no_such_database"),
        format!("{user}@127.0.0.1:1/sluis"),
    ] {
        let fault = refused(&wrong).await;
        assert!(matches!(fault, OpenFault::Database(_)), "{fault}");
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains("geheim") && !shown.contains(password), "{shown}");
    }
}

/// TLS to the server, checked against a root that we name; any other root is refused.
#[tokio::test(flavor = "multi_thread")]
async fn tls_to_the_server_is_verified() {
    let url = database::fresh().await;
    let root = std::env::var("SLUIS_POSTGRES_CA").expect("scripts/with-postgres sets SLUIS_POSTGRES_CA");
    let verified = format!("{url}&sslmode=verify-full&sslrootcert={root}");
    let store = Database::open(&verified.parse().unwrap()).await.unwrap().shared();
    assert_eq!(store.head().await, Ok(None));
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(&other, params.self_signed(&key).unwrap().pem()).unwrap();
    let fault = refused(&format!("{url}&sslmode=verify-full&sslrootcert={}", other.display())).await;
    assert!(
        matches!(fault, OpenFault::Database(_)) && fault.to_string().contains("UnknownIssuer"),
        "{fault:?}"
    );
}
