//! No header, flag or configuration skips a check. A test gateway differs by its data alone, and a production gateway
//! takes none of it.

use std::{fs, path::PathBuf, sync::Arc};

use sluis::{
    app::{Gateway, StartFault},
    client::Profile,
    config::Settings,
    consent::signing_key,
    domain::{Clock as _, time::SystemClock},
    identity::{
        GatewayKind, ReadAs,
        issue::{CertificateFolder, Subject, Usage, Validity},
        register::sign::sign_missing,
    },
    proto,
    storage::DatabaseAddress,
};
use tokio::net::TcpListener;
use tonic::{Code, Request, metadata::MetadataValue};

use crate::{
    database::{self, on_postgres},
    lab::{Lab, question, reason},
    promises::{COACH, about, bsn, copy},
};

#[tokio::test(flavor = "multi_thread")]
async fn p12_no_header_opens_anything() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let headers = [
        ("x-break-glass", "true"),
        ("x-emergency", "1"),
        ("authorization", "Bearer officer"),
        ("x-forwarded-client-cert", "Subject=\"serialNumber=00000099000001001000\""),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-oin", "00000099000001001000"),
        ("x-role", "gem.klantmanager"),
        ("x-skip-consent", "true"),
        ("grpc-internal-encoding-request", "gzip"),
        ("x-debug", "true"),
        ("forwarded", "for=127.0.0.1;by=gateway"),
        ("cookie", "session=admin"),
    ];
    let mut cases = Vec::new();
    for header in headers.iter().map(|header| vec![*header]).chain([headers.to_vec()]) {
        // Who may not, may not; of whom nothing is granted, nothing leaves; and what is malformed stays so.
        cases.push(("sluisdam", question(), header.clone(), None));
        cases.push(("waterrijk", about(&bsn(0), &[COACH]), header.clone(), None));
        cases.push(("fg", question(), header.clone(), Some("FUNCTION_NOT_HELD")));
        let bad = proto::RequestWorkCapacityRequest { bsn: "123456782".to_owned(), ..question() };
        cases.push(("waterrijk", bad, header, Some("BSN_NOT_FOR_THIS_GATEWAY")));
    }
    let lab = &lab;
    let asked = cases.into_iter().map(|(who, question, headers, refusal)| async move {
        let mut request = Request::new(question);
        for (name, value) in &headers {
            request.metadata_mut().insert(*name, MetadataValue::try_from(*value).unwrap());
        }
        let answer = lab.client(who).await.exchange().request_work_capacity(request).await;
        match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                assert!(answer.disclosures.is_empty(), "{who}, {headers:?}");
                assert!(!answer.not_provided.unwrap().paths.is_empty(), "{who}, {headers:?}");
                assert_eq!(refusal, None);
            }
            Err(status) => assert_eq!(Some(reason(&status).1.as_str()), refusal, "{who}, {headers:?}"),
        }
    });
    futures_util::future::join_all(asked).await;
}

/// A region's folder, to start other gateways from. Its own gateway is stopped.
struct Folder {
    _lab: tempfile::TempDir,
    dir: PathBuf,
}

async fn folder() -> Folder {
    let lab = Lab::start().await;
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().join("region");
    let from = lab.world.dir.clone();
    lab.world.stop().await;
    copy(&from, &dir);
    fs::remove_dir_all(dir.join("data")).unwrap();
    let folder = Folder { _lab: kept, dir };
    if on_postgres() {
        let fresh = database::fresh().await;
        folder.edit("sluis.toml", |text| {
            let line = text.lines().find(|line| line.starts_with("database = ")).unwrap();
            text.replace(line, &format!("database = \"{fresh}\""))
        });
    }
    folder
}

/// Numbers as they look outside tests: the prefix of real ones. These are made up all the same.
fn real(text: &str) -> String {
    text.replace("00000099", "00000001")
}

impl Folder {
    /// Whether a database was made.
    async fn has_log(&self) -> bool {
        match Settings::load(&self.dir.join("sluis.toml")).unwrap().database {
            DatabaseAddress::Folder(folder) => folder.join("sluis.db").exists(),
            DatabaseAddress::Postgres(url) => {
                let mut server = database::connect(url.reveal()).await;
                let head = "select to_regclass('head') is not null";
                sqlx::query_scalar(head).fetch_one(&mut server).await.unwrap()
            }
        }
    }

    fn edit(&self, file: &str, change: impl Fn(&str) -> String) {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed, "{file}");
        fs::write(path, changed).unwrap();
    }

    fn production(&self) {
        self.edit("sluis.toml", |text| text.replace("\"test.sluis", "\"sluis"));
    }

    /// Real numbers, in agreements for the production gateway that both parties signed.
    fn real_register(&self) {
        self.edit("participants.toml", real);
        self.edit("agreements.toml", |text| {
            let mut file: toml::Table = real(text).replace("\"test.sluis", "\"sluis").parse().unwrap();
            for agreement in file["agreement"].as_array_mut().unwrap() {
                agreement.as_table_mut().unwrap().remove("signature").unwrap();
            }
            let participants = fs::read_to_string(self.dir.join("participants.toml")).unwrap();
            let key = |kid: &str| signing_key::read(&self.dir.join(format!("signing/{kid}.pem"))).ok();
            let read_as = ReadAs::Party(GatewayKind::Production);
            sign_missing(&participants, &file.to_string(), read_as, key).unwrap()
        });
    }

    fn real_certificate(&self, short: &str, oin: &str) {
        let now = SystemClock.now();
        let validity = Validity { from: now.plus_millis(-3_600_000), until: now.plus_millis(86_400_000) };
        let authority = CertificateFolder::open(&self.dir.join("certs"), "Sluis demo", validity).unwrap();
        for extension in ["pem", "key"] {
            fs::remove_file(self.dir.join(format!("certs/{short}.{extension}"))).unwrap();
        }
        let subject = Subject {
            oin: real(oin).parse().unwrap(),
            organisation: "Real".to_owned(),
            common_name: "real.sluis.example".to_owned(),
            hosts: vec!["localhost".to_owned()],
            usage: Usage::Both,
            validity,
        };
        authority.issue(short, &subject).unwrap();
    }

    async fn signed_policies(&self) {
        self.edit("policies/purposes.toml", |text| {
            text.replace("review = \"example\"", "review = \"signed\"")
        });
        let today = SystemClock.now().day();
        sluis::demo::owners::decide(&self.dir, None, today).await.unwrap();
    }

    async fn start(&self) -> Result<Gateway, StartFault> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        Gateway::start_on(listener, settings, Arc::new(SystemClock)).await
    }
}

const GATEWAY: &str = "00000099000000100000";

/// Which of the four things are a production gateway's own; with all of them it starts.
#[tokio::test(flavor = "multi_thread")]
async fn p12_a_production_gateway_starts_with_nothing_of_a_test() {
    for left_out in ["register", "certificate", "policies"] {
        let folder = folder().await;
        folder.production();
        if left_out != "register" {
            folder.real_register();
        }
        if left_out != "certificate" {
            folder.real_certificate("gateway", GATEWAY);
        }
        if left_out != "policies" {
            folder.signed_policies().await;
        }
        let fault = folder.start().await.map(drop).unwrap_err();
        let expected = match left_out {
            "register" => matches!(fault, StartFault::Register(_)),
            "certificate" => matches!(fault, StartFault::Kind),
            _ => matches!(fault, StartFault::Policy(_)),
        };
        assert!(expected, "{left_out}: {fault}");
        assert!(!folder.has_log().await, "{left_out}: it did not even open its log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_a_test_gateway_starts_with_nothing_real() {
    for real in ["register", "certificate"] {
        let folder = folder().await;
        match real {
            "register" => folder.real_register(),
            _ => folder.real_certificate("gateway", GATEWAY),
        }
        let fault = folder.start().await.map(drop).unwrap_err();
        let expected = match real {
            "register" => matches!(fault, StartFault::Register(_)),
            _ => matches!(fault, StartFault::Kind),
        };
        assert!(expected, "{real}: {fault}");
    }
}

/// Asks a gateway that runs on this folder, as Waterrijk.
async fn ask(folder: &Folder, gateway: &Gateway, number: &str) -> (Code, String) {
    folder.edit("profiles/waterrijk.toml", |text| {
        let line = text.lines().find(|line| line.starts_with("gateway = ")).unwrap();
        text.replace(line, &format!("gateway = \"https://localhost:{}\"", gateway.address.port()))
    });
    ask_again(folder, number).await
}

const REAL_BSN: &str = "123456782";

#[tokio::test(flavor = "multi_thread")]
async fn p12_a_production_gateway_takes_no_test_number_and_no_test_caller() {
    let folder = folder().await;
    folder.production();
    folder.real_register();
    folder.real_certificate("gateway", GATEWAY);
    folder.signed_policies().await;
    folder.edit("profiles/waterrijk.toml", real);
    let gateway = folder.start().await.unwrap();
    // A caller with a test certificate of a trusted authority is nobody here.
    assert_eq!(ask(&folder, &gateway, REAL_BSN).await.1, "ORGANISATION_NOT_ADMITTED");
    folder.real_certificate("waterrijk", crate::promises::WATERRIJK);
    assert_eq!(ask_again(&folder, REAL_BSN).await.0, Code::Ok);
    assert_eq!(ask_again(&folder, &bsn(0)).await.1, "BSN_NOT_FOR_THIS_GATEWAY");
    gateway.stop().await;
}

async fn ask_again(folder: &Folder, number: &str) -> (Code, String) {
    let client = Profile::load(&folder.dir.join("profiles/waterrijk.toml")).unwrap().connect().await.unwrap();
    let asked = client.exchange().request_work_capacity(about(number, &[COACH])).await;
    asked.map_or_else(|status| reason(&status), |_| (Code::Ok, String::new()))
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_a_test_gateway_takes_no_real_number_and_no_real_caller() {
    let folder = folder().await;
    let gateway = folder.start().await.unwrap();
    assert_eq!(ask(&folder, &gateway, REAL_BSN).await.1, "BSN_NOT_FOR_THIS_GATEWAY");
    assert_eq!(ask_again(&folder, &bsn(0)).await.0, Code::Ok);
    folder.real_certificate("waterrijk", crate::promises::WATERRIJK);
    assert_eq!(ask_again(&folder, &bsn(0)).await.1, "ORGANISATION_NOT_ADMITTED");
    gateway.stop().await;
}
