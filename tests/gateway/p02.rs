//! The answer holds exactly what is requested, granted, permitted and held. Looked at as bytes on the wire.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use http::uri::PathAndQuery;
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use sluis::{
    catalogue::{self, CheckedStatement, Mask},
    demo::data,
    domain::{Bsn, QueryId, Reason},
    policy::SealedPolicies,
    proto::{self, get_statement_response::Result as Answer},
    rules::Rules,
    source::{PresentedGrant, SourceConnector, SourceQuestion, Statement, Surplus},
};
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::{
    lab::Lab,
    promises::{
        BY_KADE, COACH, Given, KADE, Random, Scripted, UWV, WATERRIJK, bsn, descriptor, form, statement,
    },
};

/// A connector that gives all there is, as if it had been asked for it.
#[derive(Debug)]
struct Lavish;

#[tonic::async_trait]
impl SourceConnector for Lavish {
    async fn statement(&self, _: &SourceQuestion, _: Duration) -> Result<Statement, Reason> {
        let checked = CheckedStatement::new(statement(Mask::all()), crate::promises::today()).unwrap();
        Ok(Statement { checked, surplus: Surplus::default() })
    }

    async fn review(&self, _: &Bsn, _: &PresentedGrant, _: Duration) -> Result<bool, Reason> {
        Ok(true)
    }

    async fn report_surplus(&self, _: QueryId, _: &Surplus) -> Result<(), Reason> {
        Ok(())
    }
}

/// The answer is built from the mask, whatever a connector lets through.
#[tokio::test(flavor = "multi_thread")]
async fn p02_the_answer_by_itself_holds_no_more_than_its_mask() {
    let lab = Lab::start().await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let rules = &lab.world.gateway.desks.exchange.rules;
    let policies =
        SealedPolicies::load(&lab.world.dir.join("policies"), true, crate::promises::today()).unwrap();
    let lavish: Arc<dyn SourceConnector> = Arc::new(Lavish);
    let sources = [(KADE.parse().unwrap(), lavish)].into();
    rules.store(Arc::new(Rules { register: rules.load().register.clone(), policies, sources }));
    let wire = wire(&lab, crate::promises::about(&bsn(0), &[COACH])).await;
    assert_eq!(disclosed(&wire), [(KADE.to_owned(), [COACH.to_owned()].into())].into());
}

/// Gives an answer as its bytes.
#[derive(Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = proto::RequestWorkCapacityRequest;
    type Decode = Vec<u8>;
    type Encoder = ProstEncoder<Self::Encode>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Self::Encode, ()>::raw_encoder(tonic::codec::BufferSettings::default())
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf as _;
        Ok(Some(buf.copy_to_bytes(buf.remaining()).to_vec()))
    }
}

/// Asks as Waterrijk, and gives the bytes of the answer.
pub async fn wire(lab: &Lab, question: proto::RequestWorkCapacityRequest) -> Vec<u8> {
    let mut client = tonic::client::Grpc::new(lab.client("waterrijk").await.channel());
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/sluis.v1.ExchangeService/RequestWorkCapacity");
    client.unary(Request::new(question), path, Bytes).await.unwrap().into_inner()
}

/// What an answer discloses: by source, the paths of the fields that are set. Nothing in it may be unknown, and only a
/// group that has a field may have an assessment.
pub fn disclosed(wire: &[u8]) -> BTreeMap<String, BTreeSet<String>> {
    let answer = DynamicMessage::decode(descriptor("RequestWorkCapacityResponse"), wire).unwrap();
    assert_eq!(answer.unknown_fields().count(), 0);
    let mut found = BTreeMap::new();
    for disclosure in answer.get_field_by_name("disclosures").unwrap().as_list().unwrap() {
        let disclosure = disclosure.as_message().unwrap();
        assert_eq!(disclosure.unknown_fields().count(), 0);
        let source = disclosure.get_field_by_name("source").unwrap();
        let oin = source.as_message().unwrap().get_field_by_name("oin").unwrap();
        let capacity = disclosure.get_field_by_name("work_capacity").unwrap();
        let paths = fields(capacity.as_message().unwrap());
        assert!(found.insert(oin.as_str().unwrap().to_owned(), paths).is_none(), "a source comes once");
    }
    found
}

fn fields(capacity: &DynamicMessage) -> BTreeSet<String> {
    assert_eq!(capacity.descriptor().name(), "WorkCapacity");
    assert_eq!(capacity.unknown_fields().count(), 0);
    let mut paths = BTreeSet::new();
    for (group, value) in capacity.fields() {
        let message = value.as_message().unwrap();
        assert_eq!(message.unknown_fields().count(), 0);
        let names: Vec<_> = message.fields().map(|(field, _)| field.name().to_owned()).collect();
        assert!(names.iter().any(|name| name != "assessment"), "a bare assessment of {}", group.name());
        let own = names.into_iter().filter(|name| name != "assessment");
        paths.extend(own.map(|name| format!("{}.{name}", group.name())));
    }
    paths
}

fn sets(names: &[&str]) -> Mask {
    names.iter().fold(Mask::EMPTY, |all, name| all.or(catalogue::field_set(name)))
}

/// What the policy gave when the consents were recorded, and what it gives now.
const BEFORE: [&str; 13] = [
    "WT",
    "PF_SCORES",
    "PF_CONDITIONS",
    "SF_SCORES",
    "SF_CONDITIONS",
    "FO",
    "DH",
    "SH",
    "VW_BASIC",
    "VW_DETAIL",
    "AV",
    "AV_OUTLOOK",
    "TR",
];
/// What the owners take out of it.
const TAKEN_OUT: [&str; 2] = ["VW_DETAIL", "AV_OUTLOOK"];

struct Round {
    bsn: String,
    asked: Mask,
    granted: [Mask; 2],
    held: [Mask; 2],
}

#[tokio::test(flavor = "multi_thread")]
async fn p02_an_answer_is_requested_and_granted_and_permitted_and_held() {
    // Narrower agreements than the demo's: work times and part of what UWV knows, and no trajectory of De Kade.
    let mut file: toml::Table = data::AGREEMENTS.parse().unwrap();
    let first = file["agreement"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
    assert_eq!((first["source"].as_str(), first["requester"].as_str()), (Some(UWV), Some(WATERRIJK)));
    first.insert("fields".to_owned(), ["WT", "AV"].map(toml::Value::from).to_vec().into());
    let agreements = file.to_string();
    let prefix = |prefixes: &[&str]| -> Mask {
        Mask::all()
            .iter()
            .filter(|field| prefixes.iter().any(|prefix| field.entry().code.starts_with(prefix)))
            .collect()
    };
    let agreed = [prefix(&["WT", "AV"]), prefix(&["WT", "PF", "SF", "FO", "VW", "TR"])];
    let mut lab = Lab::start_with(|options| options.agreements = Some(agreements)).await;

    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let rounds: Vec<_> = (0..48)
        .map(|n| Round {
            bsn: bsn(n),
            asked: random.some(Mask::all(), 40),
            granted: [random.some(sets(&BEFORE), 60), random.some(sets(&BEFORE), 60)],
            held: [random.some(Mask::all(), 60), random.some(Mask::all(), 60)],
        })
        .filter(|round| !round.asked.is_empty() && round.granted.iter().all(|granted| !granted.is_empty()))
        .collect();
    let mut sources = Vec::new();
    for (index, short) in ["uwv", "kade"].into_iter().enumerate() {
        let held: HashMap<_, _> = rounds.iter().map(|round| (round.bsn.clone(), round.held[index])).collect();
        let held = Arc::new(Mutex::new(held));
        let script = move |question: proto::GetStatementRequest| {
            let held = held.lock().unwrap()[&question.bsn];
            // A little too much: how much was asked is looked at apart.
            async move { Answer::WorkCapacity(statement(held)) }
        };
        sources.push(Scripted::take_over(&mut lab, short, script).await);
    }

    for round in &rounds {
        let codes: Vec<_> = round.granted.iter().map(|granted| catalogue::codes(*granted)).collect();
        // The first field of each stands on a second grant too.
        let grants = [
            Given { source: UWV, fields: &codes[0], ..BY_KADE },
            Given { source: KADE, fields: &codes[1], ..BY_KADE },
            Given { source: KADE, fields: &codes[1][..1], ..BY_KADE },
        ];
        let request = lab.sign("kade", &form(&round.bsn, &grants));
        lab.client("kade").await.consent().record_consent(request).await.unwrap();
    }
    // The owners narrow the policy; consents that were given before are wider now.
    let path = lab.world.dir.join("policies/purposes/REINTEGRATION.cedar");
    let policy = std::fs::read_to_string(&path).unwrap();
    let narrow = policy
        .replace("Sluis::FieldSet::\"VW_DETAIL\",", "")
        .replace(", Sluis::FieldSet::\"AV_OUTLOOK\"", "");
    std::fs::write(&path, narrow).unwrap();
    let before = lab.world.gateway.desks.exchange.rules.load_full();
    let today = crate::promises::today();
    sluis::demo::owners::decide(&lab.world.dir, Some(&before.policies), today).await.unwrap();
    lab.world.gateway.reload().await.unwrap();
    let permitted = agreed.map(|agreed| agreed.and(sets(&BEFORE).minus(sets(&TAKEN_OUT))));
    let can_hold =
        catalogue::CheckedStatement::new(statement(Mask::all()), crate::promises::today()).unwrap().present();

    let wires = join_all(rounds.iter().map(|round| {
        let paths = catalogue::to_paths(round.asked);
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        wire(&lab, crate::promises::about(&round.bsn, &paths))
    }))
    .await;
    let mut fields = 0;
    for (round, wire) in rounds.iter().zip(wires) {
        let mut expected = BTreeMap::new();
        for (index, oin) in [UWV, KADE].into_iter().enumerate() {
            let allowed = round.asked.and(round.granted[index]).and(permitted[index]);
            let heard = sources[index].asked.lock().unwrap();
            let heard = heard.iter().find(|question| question.bsn == round.bsn);
            let heard = heard.map(|question| catalogue::from_codes(&question.fields).unwrap());
            assert_eq!(heard.unwrap_or_default(), allowed, "what {oin} was asked");
            let given = allowed.and(round.held[index]).and(can_hold);
            if !given.is_empty() {
                expected.insert(oin.to_owned(), catalogue::to_paths(given).into_iter().collect());
            }
            fields += given.len();
        }
        assert_eq!(disclosed(&wire), expected);
    }
    assert!(fields > 100, "the rounds say something: {fields}");
}
