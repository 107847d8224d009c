//! The letter in English, as plain as the Dutch one, for who reads English better.

use super::{
    Item, Letter, Party, Refused, WithdrawalWay,
    parties::StopAt,
    wording::{Part, Wording},
};
use crate::domain::Day;

pub(super) struct English;

impl Wording for English {
    fn day(&self, day: Day) -> String {
        format!("{} {} {}", day.day(), day.month(), day.year())
    }

    fn title(&self, agreed: bool) -> &'static str {
        if agreed { "Your permission to share information" } else { "You did not give permission" }
    }

    fn opening(&self, letter: &Letter) -> Vec<String> {
        let (signed, recorded) = (self.day(letter.signed_on), self.day(letter.recorded_on));
        let Party { name, contact_role, contact_phone, .. } = &letter.recorder;
        let mut out = vec!["Dear Sir or Madam,".to_owned()];
        let who =
            if letter.by_representative { "somebody signed a form for you" } else { "you signed a form" };
        out.push(format!(
            "On {signed} {who}. It is about what organisations may ask each other about you. On {recorded} {name} \
             recorded your choices. This letter tells what you chose. It is yours to keep. Put it in a safe place."
        ));
        if letter.by_representative {
            out.push(
                "This letter is also for the person who signed for you. What that person chose, we call your \
                 choice here."
                    .to_owned(),
            );
        }
        out.push(if letter.items.is_empty() {
            "On this form you gave nobody permission. So nobody gets to know anything about you through this form."
                .to_owned()
        } else {
            "You can always stop. Further on, this letter tells how.".to_owned()
        });
        out.push(format!(
            "Is something not clear? Then call {name}, telephone {contact_phone}. Ask for: {contact_role}."
        ));
        out
    }

    fn agreed(&self) -> Part {
        Part {
            heading: "What did you give permission for?",
            text: &[
                "Below you read exactly who may ask what about you. There are always two organisations. So both of \
                 them know that the other one knows you.",
                "Each answer also tells how somebody found this out, and how sure it is. It also tells the date, \
                 and until when it counts. It never gives the name of a person, only a job.",
                "Is a word in a list difficult? Then ask what it means.",
            ],
        }
    }

    fn item(&self, number: usize, item: &Item) -> String {
        format!("{number}. {} asks {}", item.recipient.name, item.source.name)
    }

    fn not_yet(&self, item: &Item) -> String {
        format!(
            "Please note: this does not count yet. It may have been hard to say no at the signing. So there \
             will be a second talk. Do you say yes again there? Only then may {} ask.",
            item.recipient.name
        )
    }

    fn who(&self, item: &Item) -> Vec<String> {
        vec![
            format!("Who may ask: {}", item.recipient.name),
            format!("Only this employee: {}", item.role_label),
            format!("Only for this: {}", item.purpose_label),
            format!("Whom they may ask: {}", item.source.name),
        ]
    }

    fn may_know(&self, item: &Item) -> String {
        format!("{} may know this about you, and nothing else:", item.recipient.name)
    }

    fn may_know_nothing(&self, item: &Item) -> String {
        format!("{} may know nothing about you through this.", item.recipient.name)
    }

    fn struck_out(&self, item: &Item) -> String {
        format!("You crossed this out. {} does not get to know this:", item.recipient.name)
    }

    fn hints_at_health(&self) -> &'static str {
        "Please note: an answer can sometimes say something about your health."
    }

    fn when(&self) -> &'static str {
        "When and how often"
    }

    fn term(&self, item: &Item) -> Vec<String> {
        let last = item.until.previous_day().unwrap_or(item.until);
        let often = match item.uses {
            None => "as often as needed".to_owned(),
            Some(1) => "one time".to_owned(),
            Some(times) => format!("not more than {times} times"),
        };
        vec![
            format!("From: {}", self.day(item.from)),
            format!("Last day: {}", self.day(last)),
            format!("How often: {often}"),
        ]
    }

    fn never(&self) -> (Part, &'static [&'static str]) {
        let part = Part {
            heading: "What will they never get?",
            text: &["Nobody gets medical information about you in this way. So never:"],
        };
        (
            part,
            &["your diagnosis: whether you have an illness, and which", "your treatment", "your medicines"],
        )
    }

    fn refused(&self) -> Part {
        Part {
            heading: "What did you say no to?",
            text: &["You did not want this. So this does not happen:"],
        }
    }

    fn refusal(&self, refused: &Refused) -> String {
        let Refused { recipient, purpose_label, source } = refused;
        format!("{} may not ask {} anything for: {purpose_label}", recipient.name, source.name)
    }

    fn free(&self) -> (Part, &'static str) {
        let part = Part {
            heading: "You do not have to give permission",
            text: &[
                "It is your own choice. You may always say no or stop. This does not change your benefit. It \
                     does not change your treatment. You can also always tell things yourself.",
            ],
        };
        (part, "Do you want to say yes later? You may, but you do not have to.")
    }

    fn stop(&self) -> Part {
        Part {
            heading: "How can you stop?",
            text: &[
                "You can stop at any moment. You do not have to say why. Stopping is as easy as saying yes. You \
                     may stop everything, or a part.",
            ],
        }
    }

    fn ways(&self) -> &'static str {
        "You can stop like this:"
    }

    fn places(&self) -> &'static str {
        "You can stop at these organisations. Saying it once is enough."
    }

    fn stop_for(&self) -> &'static str {
        "The person who signed for you can also stop for you."
    }

    fn way(&self, way: WithdrawalWay, recorder: &Party) -> String {
        let name = &recorder.name;
        match way {
            WithdrawalWay::InPerson => "Say it in a talk with your contact person.".to_owned(),
            WithdrawalWay::Letter => {
                format!(
                    "Write down: ‘I stop my permission.’ Put your name under it. Give or send it to {name}."
                )
            }
            WithdrawalWay::Phone => "Call one of the numbers below.".to_owned(),
            WithdrawalWay::Portal => {
                format!("Log in to the website of {name}. Choose there what you want to stop.")
            }
        }
    }

    fn stop_at(&self, at: &StopAt<'_>) -> String {
        let what = if at.all { "everything" } else { "what this organisation tells" };
        format!("{}. Here you can stop {what}.", self.contact(at.party))
    }

    fn stopped(&self) -> Part {
        Part {
            heading: "What happens when you stop?",
            text: &[
                "Stopping works at once. New questions then get no answer.",
                "What an organisation already knows, stays there. That organisation has its own rules for it. You may \
                 ask what it knows about you. Then call:",
            ],
        }
    }

    fn ends(&self) -> Part {
        Part {
            heading: "Does it also stop by itself?",
            text: &[
                "Yes. After the last day your permission stops by itself. Is it still needed after that? Then \
                     somebody asks you again. Without your new yes it stays stopped.",
            ],
        }
    }

    fn insight(&self) -> Part {
        Part {
            heading: "What may you know?",
            text: &[
                "You may know who asked something about you. You may also know what they asked, and when. Is \
                     something wrong? Then you may have it corrected. Call one of these organisations for that:",
            ],
        }
    }

    fn contact(&self, party: &Party) -> String {
        format!("{}, telephone {}. Ask for: {}", party.name, party.contact_phone, party.contact_role)
    }

    fn complain(&self) -> Part {
        Part {
            heading: "Do you have a complaint?",
            text: &["You may always send a complaint. You can do that here:"],
        }
    }

    fn complaint(&self, party: &Party) -> String {
        format!("{}: {}", party.name, party.complaint)
    }

    fn authority(&self) -> (&'static str, [&'static str; 2]) {
        (
            "You can also go to the Autoriteit Persoonsgegevens, the Dutch privacy authority. It watches if \
             organisations handle information about you well.",
            ["Website: autoriteitpersoonsgegevens.nl", "Telephone: 088 1805250"],
        )
    }

    fn law(&self) -> Part {
        Part {
            heading: "What does this letter not change?",
            text: &[
                "Sometimes organisations may share information about you because a law says so. For example UWV \
                     and the municipality (gemeente) do that. They do not need your permission for it. This letter \
                     does not change that. Do you want to know more? Ask your contact person.",
            ],
        }
    }

    fn receipt(&self) -> Part {
        Part {
            heading: "Your proof",
            text: &["With these numbers somebody can check later if your form is still the same."],
        }
    }

    fn receipt_lines(&self, letter: &Letter, fingerprint: &str) -> Vec<String> {
        let place = letter.log_position.map(|position| format!("Place in the register: {position}"));
        [
            Some(format!("Number of the form: {}", letter.form)),
            place,
            Some(format!("Fingerprint of the form: {fingerprint}")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
