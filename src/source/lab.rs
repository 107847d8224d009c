//! What the tests of this room share: a recorder with a key, a grant, a question, a server on loopback.

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Extensions,
    transport::{Channel, Endpoint, server::Router},
};

use super::{
    PresentedGrant, SourceQuestion,
    reference::{CallerIdentity, RecorderKeys},
};
use crate::{
    catalogue::{self, Mask},
    consent::{Binding, BindingSalt, Grant, form::Context, grant::GRANT_TYPE, grantor::GrantorKind, jws},
    domain::{Bsn, Day, FormId, GrantId, Oin, QueryId, Timestamp, time::parse_day},
};

pub(super) const BSN: &str = "999990019";
pub(super) const OTHER_BSN: &str = "999993653";

pub(super) fn oin(number: u32) -> Oin {
    format!("00000099{number:09}000").parse().unwrap()
}

pub(super) fn bsn() -> Bsn {
    Bsn::parse(BSN).unwrap()
}

pub(super) fn fields(codes: &[&str]) -> Mask {
    catalogue::from_codes(codes).unwrap()
}

pub(super) fn day(text: &str) -> Day {
    parse_day(text).unwrap()
}

pub(super) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-23T12:00:00.000Z").unwrap()
}

/// The recorder, whose key is registered from the first of October on.
#[derive(Debug)]
pub(super) struct Recorder(Ed25519KeyPair);

impl Recorder {
    pub(super) fn new() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub(super) fn present(&self, grant: &Grant, salt: &BindingSalt) -> PresentedGrant {
        let jws = jws::sign(&grant.payload().unwrap(), GRANT_TYPE, "k1", &self.0).unwrap();
        PresentedGrant { jws, salt: salt.clone(), reconfirmation: None, countersignature: None }
    }
}

impl RecorderKeys for Recorder {
    fn public_key(&self, recorder: Oin, kid: &str, on: Day) -> Option<[u8; 32]> {
        let registered =
            recorder == oin(1) && kid == "k1" && on >= day("2026-10-01") && on < day("2026-11-01");
        registered.then(|| self.0.public_key().as_ref().try_into().unwrap())
    }
}

/// A connection whose certificate says this.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Option<Oin>);

impl CallerIdentity for Caller {
    fn caller(&self, _: &Extensions) -> Option<Oin> {
        self.0
    }
}

/// Recorder 1, recipient 2, source 3; three fields.
pub(super) fn grant(salt: &BindingSalt) -> Grant {
    Grant {
        id: GrantId::random(),
        form: FormId::random(),
        recorder: oin(1),
        signed_on: day("2026-10-05"),
        evidence: [7; 32],
        person: Binding::of(salt, &bsn()),
        recipient: oin(2),
        role: "gem.klantmanager".parse().unwrap(),
        purpose: "REINTEGRATION".parse().unwrap(),
        source: oin(3),
        fields: fields(&["WT-03", "WT-05", "VW-08"]),
        sensitive: Mask::EMPTY,
        excluded: Mask::EMPTY,
        given_by: GrantorKind::Client,
        context: Context::GuidanceTalk,
        uses: None,
        renews: None,
        valid_from: day("2026-10-05"),
        valid_until: day("2027-09-30"),
    }
}

/// The question that this grant allows in full, at noon.
pub(super) fn question(recorder: &Recorder, grant: &Grant, salt: &BindingSalt) -> SourceQuestion {
    SourceQuestion {
        query: QueryId::random(),
        bsn: bsn(),
        recipient: grant.recipient,
        role: grant.role,
        purpose: grant.purpose.clone(),
        fields: grant.fields,
        grants: vec![recorder.present(grant, salt)],
        deadline: noon().plus_millis(2_000),
    }
}

/// Any question, for a source that checks nothing.
pub(super) fn any_question() -> SourceQuestion {
    let salt = BindingSalt::random().unwrap();
    question(&Recorder::new(), &grant(&salt), &salt)
}

/// Serves on a port of loopback, as long as the test runs.
pub(super) async fn serve(router: Router) -> Channel {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    endpoint(address).connect().await.unwrap()
}

pub(super) fn endpoint(address: std::net::SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).unwrap()
}
