//! R17: an agreement is what both parties signed, and nothing else.

use super::{super::sign::*, *};

#[test]
fn r17_both_parties_sign_every_term() {
    let register = parse(PARTICIPANTS, &SIGNED).unwrap();
    let agreement = &register.all_agreements()[0];
    assert_eq!(agreement.signatures.source.kid, "ggz-2026");
    assert_eq!(agreement.signatures.requester.kid, "gem-2026");
    assert_eq!(
        String::from_utf8(agreement.terms.to_sign().unwrap()).unwrap(),
        format!(
            r#"{{"document_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","ends":"2027-12-31","fields":[{}],"id":"ggz-gemeente","purposes":["JOB_COACHING","REINTEGRATION"],"region":"test.sluis.example/regio","renews":null,"requester":"00000099000000004000","review":"2027-01-01","source":"00000099000000003000","starts":"2026-01-01","type":"sluis/v1/agreement"}}"#,
            agreement.terms.codes().iter().map(|code| format!("\"{code}\"")).collect::<Vec<_>>().join(",")
        )
    );
    assert!(agreement.terms.codes().is_sorted());
}

/// Changes after signing, each with what is said of it.
#[test]
fn r17_a_changed_term_is_no_longer_signed() {
    let changes = [
        ("id = \"ggz-gemeente\"", "id = \"ggz-gemeente-2\""),
        ("\"REINTEGRATION\", ", ""),
        ("JOB_COACHING", "WAGE_VALUE"),
        ("AV-06", "AV-05"),
        ("\"WT\", ", "\"WT\", \"VW\", "),
        ("starts = 2026-01-01", "starts = 2026-01-02"),
        ("ends = 2027-12-31", "ends = 2028-12-31"),
        ("review = 2027-01-01", "review = 2027-01-02"),
        ("e3b0c442", "e3b0c443"),
    ];
    for (from, to) in changes {
        assert!(SIGNED.contains(from), "{from}");
        let faults = parse(PARTICIPANTS, &SIGNED.replacen(from, to, 1)).expect_err(from);
        let said: Vec<_> = faults.iter().map(|fault| fault.what.as_str()).collect();
        assert_eq!(said.len(), 2, "{from}: {faults}");
        for (said, party) in said.iter().zip(["source", "requester"]) {
            assert!(
                said.contains(&format!("`signature.{party}` is no signature of these terms"))
                    && said.contains("something was changed after it was signed"),
                "{from}: {said}"
            );
        }
    }
    // The same parties the other way round is another agreement.
    let functions = PARTICIPANTS
        .replace(
            "functions = [\"source\", \"recorder\", \"officer\"]",
            "functions = [\"requester\", \"source\"]\nrole = [{ role = \"ggz.trajectbegeleider\" }]",
        )
        .replace(
            "functions = [\"requester\"]",
            "functions = [\"requester\", \"source\"]\nendpoint = { url = \"https://gem.sluis.test:7443\" }",
        );
    assert!(parse(&functions, &SIGNED).is_ok());
    let turned = SIGNED
        .replace(&format!("source = \"{GGZ}\""), "source = \"@\"")
        .replace(&format!("requester = \"{GEMEENTE}\""), &format!("requester = \"{GGZ}\""))
        .replace("source = \"@\"", &format!("source = \"{GEMEENTE}\""));
    let faults = parse(&functions, &turned).unwrap_err();
    assert!(
        faults.to_string().contains("which is of `00000099000000003000` and not of the source"),
        "{faults}"
    );
}

#[test]
fn r17_both_signatures_must_be_there_and_hold() {
    let none = parse(PARTICIPANTS, AGREEMENTS).unwrap_err();
    assert_eq!(none.iter().count(), 2);
    for party in ["source", "requester"] {
        let said = format!("`sluis agreement sign` writes `signature.{party}` (R17)");
        assert!(none.to_string().contains(&said), "{none}");
    }
    let line = |party: &str| {
        let text = SIGNED.split_once("[agreement.signature]").unwrap().1;
        text.lines().find(|line| line.starts_with(party)).unwrap().to_owned()
    };
    let (source, requester) = (line("source"), line("requester"));
    let signature = |line: &str| line.rsplit('"').nth(1).unwrap().to_owned();
    let flipped = {
        let text = signature(&source);
        let other = if text.starts_with('A') { 'B' } else { 'A' };
        source.replace(&text, &format!("{other}{}", text.chars().skip(1).collect::<String>()))
    };
    for (from, to, what) in [
        (source.clone(), String::new(), "is not signed by the source `00000099000000003000`"),
        (requester.clone(), String::new(), "is not signed by the requester `00000099000000004000`"),
        (
            source.clone(),
            source.replace("ggz-2026", "ggz-2027"),
            "names the key `ggz-2027`, which nobody has registered",
        ),
        (
            source.clone(),
            source.replace("ggz-2026", "gem-2026"),
            "names the key `gem-2026`, which is of `00000099000000004000` and not of the source `00000099000000003000`",
        ),
        (
            source.clone(),
            source.replace(&signature(&source), &signature(&requester)),
            "is no signature of these terms by the key `ggz-2026`",
        ),
        (source.clone(), flipped, "is no signature of these terms by the key `ggz-2026`"),
        (
            source.clone(),
            source.replace(&signature(&source), "AAAA"),
            "must be the 64 bytes of an Ed25519 signature in base64url",
        ),
        (source.clone(), source.replace("ggz-2026", "een naam"), "`signature.source.kid` must be"),
        (source.clone(), source.replace("source =", "bron ="), "unknown field `bron`"),
    ] {
        let faults = parse(PARTICIPANTS, &SIGNED.replacen(&from, &to, 1)).expect_err(what);
        assert_eq!(faults.iter().count(), 1, "{what}: {faults}");
        assert!(faults.to_string().contains(what), "{what}: {faults}");
    }
}

/// The day that counts is the agreement's first.
#[test]
fn r17_the_key_holds_on_the_first_day_of_the_agreement() {
    let with = |until: &str| {
        PARTICIPANTS.replacen("from = 2026-01-01", &format!("from = 2025-01-01\nuntil = {until}"), 1)
    };
    assert!(parse(&with("2026-01-01"), &SIGNED).is_ok(), "a key may end once it has signed");
    for participants in
        [with("2025-12-31"), PARTICIPANTS.replacen("from = 2026-01-01", "from = 2026-01-02", 1)]
    {
        let faults = parse(&participants, &SIGNED).unwrap_err();
        assert_eq!(faults.iter().count(), 1, "{faults}");
        let said =
            "names the key `ggz-2026`, which does not hold on 2026-01-01, the first day of the agreement";
        assert!(faults.to_string().contains(said), "{faults}");
    }
}

#[test]
fn r17_p12_an_agreement_holds_for_one_gateway() {
    let elsewhere = |region: &str| {
        let agreements = AGREEMENTS.replace(ORIGIN, region);
        parse(PARTICIPANTS, &signed(PARTICIPANTS, &agreements)).unwrap_err().to_string()
    };
    for region in ["test.sluis.example/elders", "test.sluis.example", "test.sluis.example/regio/noord", ""] {
        let said = elsewhere(region);
        assert!(
            said.contains("`region` must be `test.sluis.example/regio`, the `origin` of this gateway"),
            "{said}"
        );
    }
    let read = |region: &str, kind| {
        let agreements = AGREEMENTS.replace(ORIGIN, region);
        let agreements = signed(PARTICIPANTS, &agreements);
        Register::parse(PARTICIPANTS, &agreements, ReadAs::Party(kind)).map(drop)
    };
    assert!(read("test.sluis.example/elders", GatewayKind::Test).is_ok());
    let faults = read("sluis.example/regio", GatewayKind::Test).unwrap_err();
    assert!(faults.to_string().contains("must be the `origin` of a test gateway (P12)"), "{faults}");
}

#[test]
fn signing_leaves_the_rest_of_the_file_alone() {
    let noted = AGREEMENTS
        .replace("[[agreement]]", "# Signed on paper in March.\n[[agreement]] # the first")
        .replace("fields = [\"WT\", \"AV-06\"]", "fields = [ \"WT\",   \"AV-06\" ] # no more")
        + "\n# The end.\n";
    let (first, second) = (key(1), key(2));
    let signer = |oin: &str, kid, key| Signer { oin: oin.parse().unwrap(), kid, key };
    let once = sign(PARTICIPANTS, &noted, "ggz-gemeente", signer(GGZ, "ggz-2026", &first)).unwrap().text;
    let both = sign(PARTICIPANTS, &once, "ggz-gemeente", signer(GEMEENTE, "gem-2026", &second)).unwrap().text;
    assert!(parse(PARTICIPANTS, &both).is_ok(), "{both}");
    let again = sign(PARTICIPANTS, &both, "ggz-gemeente", signer(GGZ, "ggz-2026", &first)).unwrap().text;
    assert_eq!(again, both, "Ed25519 signs the same in the same way");
    let rest: String =
        both.lines().filter(|line| !line.contains("signature")).map(|line| format!("{line}\n")).collect();
    assert_eq!(rest, noted, "{both}");

    let fault = |id: &str, signer| sign(PARTICIPANTS, AGREEMENTS, id, signer).unwrap_err().to_string();
    assert!(fault("other", signer(GGZ, "ggz-2026", &first)).contains("no agreement `other`"));
    let officer = "00000099000000001000";
    let said = fault("ggz-gemeente", signer(officer, "ggz-2026", &first));
    assert!(said.contains("neither source nor requester"), "{said}");
    let said = fault("ggz-gemeente", signer(GGZ, "gem-2026", &second));
    assert!(said.contains("the key `gem-2026` is not registered with `00000099000000003000`"), "{said}");
    let said = fault("ggz-gemeente", signer(GGZ, "ggz-2026", &second));
    assert!(said.contains("not the one that is registered as `ggz-2026`"), "{said}");
    let early = AGREEMENTS.replace("starts = 2026-01-01", "starts = 2025-12-31");
    let said = sign(PARTICIPANTS, &early, "ggz-gemeente", signer(GGZ, "ggz-2026", &first)).unwrap_err();
    assert!(said.to_string().contains("does not hold on 2025-12-31"), "{said}");
    let wrong = AGREEMENTS.replace("JOB_COACHING", "FRAUD");
    let said = sign(PARTICIPANTS, &wrong, "ggz-gemeente", signer(GGZ, "ggz-2026", &first)).unwrap_err();
    assert!(said.to_string().contains("never served"), "{said}");
}
