//! What a language has to be able to say. The order is not its business.

use super::{Item, Letter, Party, Refused, WithdrawalWay, parties::StopAt};
use crate::domain::Day;

/// A part of the letter that says the same to everybody: its heading, and its paragraphs.
pub(super) struct Part {
    pub(super) heading: &'static str,
    pub(super) text: &'static [&'static str],
}

/// The sentences of one language.
pub(super) trait Wording {
    /// A day in full.
    fn day(&self, day: Day) -> String;

    /// Title of a letter in which something was agreed to, or nothing.
    fn title(&self, agreed: bool) -> &'static str;
    /// What was signed, when and by whom; that this is a copy to keep; whom to call.
    fn opening(&self, letter: &Letter) -> Vec<String>;

    /// Before the grants.
    fn agreed(&self) -> Part;
    /// Heading of a grant.
    fn item(&self, number: usize, item: &Item) -> String;
    /// That the grant waits for a second talk (R13).
    fn not_yet(&self, item: &Item) -> String;
    /// Who may ask, in which role, for what, and whom.
    fn who(&self, item: &Item) -> Vec<String>;
    /// Before the fields.
    fn may_know(&self, item: &Item) -> String;
    /// Instead of that, if no field is left.
    fn may_know_nothing(&self, item: &Item) -> String;
    /// Before the fields that were struck out.
    fn struck_out(&self, item: &Item) -> String;
    /// Heading of the term.
    fn when(&self) -> &'static str;
    /// From when, until when, how often.
    fn term(&self, item: &Item) -> Vec<String>;

    /// What is never told, and the list of it.
    fn never(&self) -> (Part, &'static [&'static str]);
    /// After that list, if health can be inferred from any field that is told.
    fn hints_at_health(&self) -> &'static str;

    /// Before what was refused.
    fn refused(&self) -> Part;
    /// One refusal.
    fn refusal(&self, refused: &Refused) -> String;

    /// That nobody has to (R12). The second is for who agreed to nothing.
    fn free(&self) -> (Part, &'static str);

    /// That stopping is easy.
    fn stop(&self) -> Part;
    /// Before the ways.
    fn ways(&self) -> &'static str;
    /// Before the organisations to stop at.
    fn places(&self) -> &'static str;
    /// That who signed for the client can stop it too.
    fn stop_for(&self) -> &'static str;
    /// A way to stop.
    fn way(&self, way: WithdrawalWay, recorder: &Party) -> String;
    /// An organisation to stop at.
    fn stop_at(&self, at: &StopAt<'_>) -> String;
    /// What happens then.
    fn stopped(&self) -> Part;
    /// How it ends by itself.
    fn ends(&self) -> Part;

    /// Looking into it, and having it corrected.
    fn insight(&self) -> Part;
    /// An organisation to call.
    fn contact(&self, party: &Party) -> String;

    /// Where to complain.
    fn complain(&self) -> Part;
    /// The place of one organisation.
    fn complaint(&self, party: &Party) -> String;
    /// The data protection authority: what it is, and how to reach it.
    fn authority(&self) -> (&'static str, [&'static str; 2]);

    /// What goes on outside this exchange.
    fn law(&self) -> Part;

    /// What the receipt is for.
    fn receipt(&self) -> Part;
    /// Form, place in the register, fingerprint in groups.
    fn receipt_lines(&self, letter: &Letter, fingerprint: &str) -> Vec<String>;
}
