//! Several gateways on one log: one of them sends, and another goes on when it stops.

use crate::{
    database,
    lab::{Region, handed_on},
    receiver::Receiver,
};

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_sends_at_a_time_and_another_goes_on() {
    let url = database::fresh().await;
    let mut region = Region::new(|options| {
        options.database = Some(url.parse().unwrap());
        options.instances = 2;
    })
    .await;
    let mut receiver = Receiver::start(&[]).await;
    for file in ["sluis.toml", "sluis-2.toml"] {
        region.logboek(file, &format!("url = \"http://{}\"\n", receiver.address));
    }
    region.serve("sluis.toml").await;
    region.serve("sluis-2.toml").await;
    region.live().await;
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions == wanted).await;

    // The turn is a session of one of them. Whoever asks meanwhile gets none.
    assert!(region.store().logboek_turn().await.unwrap().is_none());

    // Whichever has it stops; the other goes on where it was.
    for file in ["sluis.toml", "sluis-2.toml"] {
        let gateway = region.gateways.remove(0);
        gateway.stop().await;
        region.gateways[0].flush_counts().await.unwrap();
        region.serve(file).await;
        region.look().await;
        let wanted = handed_on(region.store().as_ref()).await;
        receiver.until("what came later", |stored| stored.positions == wanted).await;
    }
    region.stop().await;
    assert_eq!(receiver.stored.lock().unwrap().at_once, 1);
}

#[tokio::test]
async fn the_cursor_is_moved_by_whom_it_knows_only() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::fresh().await;
    for address in [url.parse().unwrap(), sluis::storage::DatabaseAddress::Folder(folder.path().to_owned())] {
        let store = sluis::storage::Database::open(&address).await.unwrap().shared();
        assert_eq!(store.logboek().await.unwrap(), 0);
        let mut turn = store.logboek_turn().await.unwrap().unwrap();
        turn.acknowledged(0, 5).await.unwrap();
        turn.acknowledged(5, 9).await.unwrap();
        assert_eq!(store.logboek().await.unwrap(), 9);
        // Somebody who was away too long.
        assert!(turn.acknowledged(5, 7).await.is_err());
        assert_eq!(store.logboek().await.unwrap(), 9);
        drop(turn);
        assert!(store.logboek_turn().await.unwrap().is_some());
        store.close().await;
    }
}
