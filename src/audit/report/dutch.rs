//! The report in Dutch, for privacy officers (functionarissen gegevensbescherming) and whoever supervises them.

use std::fmt;

use super::{Answer, Code, Cosigned, Escaped, Finding, Report, Verdict};
use crate::{audit::verify::chain::ChainReport, domain::Timestamp};

/// A report, to be read in Dutch. What a finding says beside its code and its place stays as it is: it names files and
/// numbers.
#[derive(Debug)]
pub struct Dutch<'a>(pub &'a Report);

/// The report of several shards, to be read in Dutch.
#[derive(Debug)]
pub struct DutchChain<'a>(pub &'a ChainReport);

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "in orde",
        Verdict::Incomplete => "onvolledig",
        Verdict::Unreadable => "niet leesbaar",
        Verdict::Tampered => "ermee geknoeid",
    }
}

/// What a code means.
const fn meaning(code: Code) -> &'static str {
    match code {
        Code::FileMissing => "een bestand dat er moet zijn, is er niet",
        Code::FileSurplus => "een bestand dat niet bij een export van deze grootte hoort",
        Code::FileMalformed => "een bestand heeft niet de vorm die het moet hebben",
        Code::FileUnreadable => "het systeem gaf een bestand niet vrij",
        Code::CheckpointMissing => "er is geen checkpoint om mee te vergelijken",
        Code::CheckpointMalformed => {
            "het checkpoint is geen ondertekende notitie van naam, grootte en wortel"
        }
        Code::KeysUnreadable => "de meegekomen sleutels ontbreken of hebben niet de vorm van een policy",
        Code::KeysNotGiven => "er is geen sleutel gegeven om mee te controleren",
        Code::KeyNotTrusted => "de export brengt een sleutel mee die niet vertrouwd wordt",
        Code::SignatureInvalid => "de handtekening onder een bekende naam is niet met die sleutel gezet",
        Code::SignatureUnknown => "er staat een handtekening van een onbekende sleutel onder",
        Code::SignatureMissing => "er staat geen handtekening van een bekende sleutel van dit logboek onder",
        Code::WitnessInvalid => {
            "een medeondertekening draagt de naam van een bekende getuige, die hem niet gezet heeft"
        }
        Code::WitnessMissing => "er zijn getuigen vereist, en te weinig van hen hebben medeondertekend",
        Code::SinceUnreadable => "het eerdere checkpoint is er geen, of is niet door dit logboek ondertekend",
        Code::SinceOtherLog => "het eerdere checkpoint is van een ander logboek",
        Code::SinceInconsistent => "het logboek begint niet met het logboek van het eerdere checkpoint",
        Code::RootMismatch => "de hashes geven niet de wortel van het checkpoint",
        Code::EntriesRootMismatch => "de vermeldingen geven niet de wortel van het checkpoint",
        Code::TileMismatch => "een tegel is niet wat de tegels eronder geven",
        Code::EntryMismatch => "een vermelding is niet die waarvan de hash in de boom staat",
        Code::LeafMalformed => "een vermelding heeft niet de vorm van een blad",
        Code::KindUnknown => "een vermelding is van een soort die deze versie niet kent",
        Code::TimeWentBack => "een vermelding is van vóór de vermelding ervoor",
        Code::EntryRepeated => "twee vermeldingen hebben hetzelfde paar en dezelfde soort",
        Code::GenesisMisplaced => "een logboek begint met één `genesis` en heeft er verder geen",
        Code::EntryAfterSeal => "na het zegel van een deel staat nog een vermelding",
        Code::SealedOpen => "een deel is verzegeld terwijl een verzoek nog geen uitkomst had",
        Code::ChainBroken => "een deel begint niet waar het vorige eindigt",
        Code::ChainNotSealed => "een deel dat gewoon is voortgezet, heeft geen zegel",
        Code::ChainKeyNotAnnounced => "de sleutel van een deel is niet die welke het vorige aankondigde",
        Code::ChainNotOpened => "wat van een deel naar het volgende leidt, is niet geopend of niet te lezen",
        Code::OutcomeBeforeRequest => "een uitkomst staat vóór haar verzoek",
        Code::OutcomeWithoutRequest => "een uitkomst heeft geen verzoek",
        Code::RequestWithoutOutcome => "een verzoek heeft (nog) geen uitkomst",
        Code::PartMissing => {
            "wat bij een vermelding hoort, is er niet: de feiten, het verzegelde deel, of dat het is weggelaten"
        }
        Code::FactsMismatch => "de feiten zijn niet die waarop het blad is vastgelegd",
        Code::DetailMismatch => "de bijzonderheden zijn niet die waarop de feiten zijn vastgelegd",
        Code::FactsMalformed => "de feiten zijn geen JSON-object in de vaste vorm",
        Code::SealedMismatch => "het verzegelde deel is niet dat waarop het blad is vastgelegd",
        Code::SealedClosed => "het verzegelde deel gaat niet open met zijn eigen sleutel",
        Code::ErasureUnnamed => "een vermelding zou gewist zijn, en geen latere vermelding noemt dat",
        Code::RetentionUnnamed => {
            "van een vermelding zou de bewaartermijn om zijn, en geen latere vermelding zegt dat"
        }
        Code::ErasureNotOpened => {
            "een vermelding zou gewist zijn of over haar termijn, en de vermeldingen die dat kunnen zeggen, zijn niet geopend"
        }
        Code::ReceiptMalformed => "een ontvangstbewijs heeft niet de vorm van een ontvangstbewijs",
        Code::ProofMalformed => "een bewijs in een ontvangstbewijs is geen tlog-proof",
        Code::ProofMismatch => "het bewijs van een vermelding leidt niet naar de wortel van zijn checkpoint",
        Code::ReceiptEntries => "de vermeldingen van een ontvangstbewijs zijn geen verzoek met zijn uitkomst",
        Code::AnswerMismatch => "het antwoord is niet dat waarop de uitkomst is vastgelegd",
        Code::AnswerNotCommitted => "er is een antwoord met inhoud, en niets waarin het is vastgelegd",
    }
}

fn finding(finding: &Finding, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "- ")?;
    if let Some(position) = finding.position {
        write!(f, "vermelding {position}: ")?;
    }
    write!(f, "{} ({})", meaning(finding.code), finding.code.as_str())?;
    // Without a position only the detail says where.
    if finding.position.is_none() { writeln!(f, " [{}]", Escaped(&finding.detail)) } else { writeln!(f) }
}

impl fmt::Display for Dutch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(f, "{}", verdict(report.verdict))?;
        if let (Some(origin), Some(size)) = (&report.origin, report.size) {
            let origin = Escaped(origin);
            write!(f, ": logboek `{origin}` met {size} vermeldingen, waarvan {} bekeken", report.entries)?;
        }
        let keys = match report.anchored {
            true => "sleutels zoals gegeven",
            false if report.findings.iter().any(|finding| finding.code == Code::KeysNotGiven) => {
                "geen sleutels"
            }
            false => "sleutels uit de export zelf, nergens mee vergeleken",
        };
        writeln!(f, "\n{keys}")?;
        let states = report.states;
        writeln!(
            f,
            "{} geopend, {} gesloten, {} gewist, {} over hun termijn, {} ontbreken, {} kloppen niet; van {} zijn de \
             bijzonderheden weggelaten; {} verzoeken zonder uitkomst",
            states.opened,
            states.sealed,
            states.erased,
            states.expired,
            states.missing,
            states.mismatch,
            report.details_left_out,
            report.open_requests
        )?;
        let kinds: Vec<String> = report.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        if !kinds.is_empty() {
            writeln!(f, "{}", kinds.join(", "))?;
        }
        for Cosigned { by, time } in &report.cosigned {
            let millis = i64::try_from(*time).unwrap_or(i64::MAX).saturating_mul(1000);
            writeln!(f, "medeondertekend door `{}` op {}", Escaped(by), Timestamp::from_millis(millis))?;
        }
        match report.answer {
            Some(Answer::Matches) => writeln!(f, "het antwoord is dat uit het logboek")?,
            Some(Answer::Differs) => writeln!(f, "het antwoord is niet dat uit het logboek")?,
            Some(Answer::NotGiven) => writeln!(f, "het antwoord zelf was er niet bij")?,
            Some(Answer::NothingReleased) => writeln!(f, "met het antwoord is niets verstrekt")?,
            None => {}
        }
        report.findings.iter().try_for_each(|found| finding(found, f))?;
        if report.findings_not_listed > 0 {
            writeln!(f, "- en nog {}", report.findings_not_listed)?;
        }
        Ok(())
    }
}

impl fmt::Display for DutchChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        for shard in &report.shards {
            writeln!(f, "{}", Dutch(shard))?;
        }
        writeln!(f, "{} delen als geheel: {}", report.shards.len(), verdict(report.verdict))?;
        report.findings.iter().try_for_each(|found| finding(found, f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_of_its_own() {
        let mut said: Vec<_> = Code::ALL.iter().map(|code| meaning(*code)).collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), Code::ALL.len());
    }

    #[test]
    fn it_says_as_much_as_the_english_one() {
        let mut report = Report::new(true);
        (report.origin, report.size, report.entries) = (Some("test.example/2026".to_owned()), Some(9), 9);
        report.answer = Some(Answer::Differs);
        report.find(Some(7), Code::FactsMismatch, "the facts differ");
        report.find(None, Code::FileMissing, "`tile/0/000` is not there");
        let (dutch, english) = (Dutch(&report).to_string(), report.to_string());
        assert_eq!(dutch.lines().count(), english.lines().count());
        assert!(
            dutch.starts_with("ermee geknoeid: logboek `test.example/2026` met 9 vermeldingen"),
            "{dutch}"
        );
        assert!(dutch.contains("- vermelding 7: de feiten zijn niet die"), "{dutch}");
        assert!(dutch.contains("(file_missing) [`tile/0/000` is not there]"), "{dutch}");
    }
}
