//! The letter in Dutch, reading level B1: short words, one idea a sentence, active voice, "u".

use super::{
    Item, Letter, Party, Refused, WithdrawalWay,
    parties::StopAt,
    wording::{Part, Wording},
};
use crate::domain::Day;

pub(super) struct Dutch;

impl Wording for Dutch {
    fn day(&self, day: Day) -> String {
        let month = match u8::from(day.month()) {
            1 => "januari",
            2 => "februari",
            3 => "maart",
            4 => "april",
            5 => "mei",
            6 => "juni",
            7 => "juli",
            8 => "augustus",
            9 => "september",
            10 => "oktober",
            11 => "november",
            _ => "december",
        };
        format!("{} {month} {}", day.day(), day.year())
    }

    fn title(&self, agreed: bool) -> &'static str {
        if agreed { "Uw toestemming om informatie te delen" } else { "U gaf geen toestemming" }
    }

    fn opening(&self, letter: &Letter) -> Vec<String> {
        let (signed, recorded) = (self.day(letter.signed_on), self.day(letter.recorded_on));
        let Party { name, contact_role, contact_phone, .. } = &letter.recorder;
        let mut out = vec!["Beste heer of mevrouw,".to_owned()];
        let who = if letter.by_representative { "iemand voor u" } else { "u" };
        out.push(format!(
            "Op {signed} tekende {who} een formulier. Het gaat over wat organisaties elkaar over u mogen vragen. \
             Op {recorded} legde {name} uw keuzes vast. In deze brief staat wat u koos. Deze brief mag u houden. \
             Bewaar hem goed."
        ));
        if letter.by_representative {
            out.push(
                "Deze brief is ook voor de persoon die voor u tekende. Wat die persoon koos, noemen we hier uw \
                 keuze."
                    .to_owned(),
            );
        }
        out.push(if letter.items.is_empty() {
            "Op dit formulier gaf u niemand toestemming. Door dit formulier krijgt dus niemand iets over u te \
             weten."
                .to_owned()
        } else {
            "U kunt altijd stoppen. Verderop in deze brief staat hoe.".to_owned()
        });
        out.push(format!(
            "Begrijpt u iets niet? Bel dan {name}, telefoon {contact_phone}. Vraag naar: {contact_role}."
        ));
        out
    }

    fn agreed(&self) -> Part {
        Part {
            heading: "Waarvoor gaf u toestemming?",
            text: &[
                "Hieronder staat precies wie wat over u mag vragen. Er staan steeds twee organisaties bij. Beide \
                 weten daardoor dat de andere u kent.",
                "Bij elk antwoord staat ook hoe iemand dat bepaalde, en hoe zeker het is. Er staat ook een datum \
                 bij, en tot wanneer het geldt. Er staat nooit een naam bij, wel een functie.",
                "Is een woord in een lijst moeilijk? Vraag dan wat het betekent.",
            ],
        }
    }

    fn item(&self, number: usize, item: &Item) -> String {
        format!("{number}. {} vraagt iets aan {}", item.recipient.name, item.source.name)
    }

    fn not_yet(&self, item: &Item) -> String {
        format!(
            "Let op: dit geldt nu nog niet. Bij het tekenen was nee zeggen misschien moeilijk. Daarom komt er een \
             tweede gesprek. Zegt u daar weer ja? Dan pas mag {} iets vragen.",
            item.recipient.name
        )
    }

    fn who(&self, item: &Item) -> Vec<String> {
        vec![
            format!("Wie mag vragen: {}", item.recipient.name),
            format!("Alleen deze medewerker: {}", item.role_label),
            format!("Alleen hiervoor: {}", item.purpose_label),
            format!("Aan wie: {}", item.source.name),
        ]
    }

    fn may_know(&self, item: &Item) -> String {
        format!("Dit mag {} over u weten, en niets anders:", item.recipient.name)
    }

    fn may_know_nothing(&self, item: &Item) -> String {
        format!("{} mag hierdoor niets over u weten.", item.recipient.name)
    }

    fn struck_out(&self, item: &Item) -> String {
        format!("Dit streepte u door. Dit krijgt {} niet te weten:", item.recipient.name)
    }

    fn hints_at_health(&self) -> &'static str {
        "Let op: een antwoord kan soms wel iets zeggen over uw gezondheid."
    }

    fn when(&self) -> &'static str {
        "Wanneer en hoe vaak"
    }

    fn term(&self, item: &Item) -> Vec<String> {
        let last = item.until.previous_day().unwrap_or(item.until);
        let often = match item.uses {
            None => "zo vaak als nodig is".to_owned(),
            Some(1) => "één keer".to_owned(),
            Some(times) => format!("niet vaker dan {times} keer"),
        };
        vec![
            format!("Vanaf: {}", self.day(item.from)),
            format!("Laatste dag: {}", self.day(last)),
            format!("Hoe vaak: {often}"),
        ]
    }

    fn never(&self) -> (Part, &'static [&'static str]) {
        let part = Part {
            heading: "Wat krijgen zij nooit?",
            text: &["Niemand krijgt op deze manier medische informatie over u. Dus nooit:"],
        };
        (part, &["uw diagnose: of u een ziekte heeft, en welke", "uw behandeling", "uw medicijnen"])
    }

    fn refused(&self) -> Part {
        Part { heading: "Waar zei u nee tegen?", text: &["Dit wilde u niet. Dus dit gebeurt niet:"] }
    }

    fn refusal(&self, refused: &Refused) -> String {
        let Refused { recipient, purpose_label, source } = refused;
        format!("{} mag niets vragen aan {} voor: {purpose_label}", recipient.name, source.name)
    }

    fn free(&self) -> (Part, &'static str) {
        let part = Part {
            heading: "U hoeft geen toestemming te geven",
            text: &[
                "Het is uw eigen keuze. U mag altijd nee zeggen of stoppen. Dat heeft geen gevolgen voor uw \
                 uitkering. Het heeft ook geen gevolgen voor uw behandeling. U kunt ook altijd zelf \
                 vertellen wat u wilt.",
            ],
        };
        (part, "Wilt u later toch ja zeggen? Dat mag, maar het hoeft niet.")
    }

    fn stop(&self) -> Part {
        Part {
            heading: "Hoe kunt u stoppen?",
            text: &[
                "U kunt op elk moment stoppen. U hoeft niet te zeggen waarom. Stoppen is net zo makkelijk \
                     als ja zeggen. U mag met alles stoppen, of met een deel.",
            ],
        }
    }

    fn ways(&self) -> &'static str {
        "Zo kunt u stoppen:"
    }

    fn places(&self) -> &'static str {
        "U kunt stoppen bij deze organisaties. Eén keer zeggen is genoeg."
    }

    fn stop_for(&self) -> &'static str {
        "De persoon die voor u tekende, kan ook voor u stoppen."
    }

    fn way(&self, way: WithdrawalWay, recorder: &Party) -> String {
        let name = &recorder.name;
        match way {
            WithdrawalWay::InPerson => "Zeg het in een gesprek met uw contactpersoon.".to_owned(),
            WithdrawalWay::Letter => format!(
                "Schrijf op: ‘Ik stop met mijn toestemming.’ Zet uw naam eronder. Geef of stuur het aan {name}."
            ),
            WithdrawalWay::Phone => "Bel een van de nummers hieronder.".to_owned(),
            WithdrawalWay::Portal => {
                format!("Log in op de website van {name}. Kies daar waarmee u wilt stoppen.")
            }
        }
    }

    fn stop_at(&self, at: &StopAt<'_>) -> String {
        let what = if at.all { "met alles stoppen" } else { "stoppen met wat deze organisatie vertelt" };
        format!("{}. Hier kunt u {what}.", self.contact(at.party))
    }

    fn stopped(&self) -> Part {
        Part {
            heading: "Wat gebeurt er als u stopt?",
            text: &[
                "Stoppen werkt meteen. Op nieuwe vragen komt dan geen antwoord meer.",
                "Wat een organisatie al weet, blijft daar. Die organisatie heeft daar eigen regels voor. U mag vragen \
                 wat zij over u weet. Bel dan:",
            ],
        }
    }

    fn ends(&self) -> Part {
        Part {
            heading: "Stopt het ook vanzelf?",
            text: &[
                "Ja. Na de laatste dag stopt uw toestemming vanzelf. Is het daarna nog nodig? Dan vraagt \
                     iemand het u opnieuw. Zonder uw nieuwe ja blijft het gestopt.",
            ],
        }
    }

    fn insight(&self) -> Part {
        Part {
            heading: "Wat mag u weten?",
            text: &[
                "U mag weten wie iets over u vroeg. U mag ook weten wat die vroeg, en wanneer. Dat heet \
                     inzage. Klopt er iets niet? Dan mag u dat laten verbeteren. Bel daarvoor een van deze \
                     organisaties:",
            ],
        }
    }

    fn contact(&self, party: &Party) -> String {
        format!("{}, telefoon {}. Vraag naar: {}", party.name, party.contact_phone, party.contact_role)
    }

    fn complain(&self) -> Part {
        Part { heading: "Heeft u een klacht?", text: &["U mag altijd een klacht sturen. Dat kan hier:"] }
    }

    fn complaint(&self, party: &Party) -> String {
        format!("{}: {}", party.name, party.complaint)
    }

    fn authority(&self) -> (&'static str, [&'static str; 2]) {
        (
            "U kunt ook naar de Autoriteit Persoonsgegevens gaan. Die let op of organisaties goed omgaan met \
             informatie over u.",
            ["Website: autoriteitpersoonsgegevens.nl", "Telefoon: 088 1805250"],
        )
    }

    fn law(&self) -> Part {
        Part {
            heading: "Wat verandert deze brief niet?",
            text: &[
                "Soms mogen organisaties informatie over u delen omdat dat in een wet staat. UWV en de gemeente \
                 doen dat bijvoorbeeld. Daar is uw toestemming niet voor nodig. Deze brief verandert daar niets \
                 aan. Wilt u er meer over weten? Vraag het uw contactpersoon.",
            ],
        }
    }

    fn receipt(&self) -> Part {
        Part {
            heading: "Uw bewijs",
            text: &["Met deze nummers kan iemand later nagaan of uw formulier nog hetzelfde is."],
        }
    }

    fn receipt_lines(&self, letter: &Letter, fingerprint: &str) -> Vec<String> {
        let place = letter.log_position.map(|position| format!("Plaats in het register: {position}"));
        [
            Some(format!("Nummer van het formulier: {}", letter.form)),
            place,
            Some(format!("Vingerafdruk van het formulier: {fingerprint}")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
