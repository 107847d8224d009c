//! What a source must not do, done on purpose: test data for the gateway's defences. Refused by any other source.

use std::time::Duration;

use prost::Message as _;
use serde::Deserialize;

use super::statements::Client;
use crate::{
    catalogue::Mask,
    domain::{Clock, Timestamp},
    proto::{self, get_statement_response::Result as Answer},
};

/// Longest that a slow source sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A way to misbehave towards the gateway, by client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// Sends all it holds, whatever was asked.
    OverDeliver,
    /// Sends a field that the catalogue does not know, beside what was asked.
    UnknownField,
    /// Sends a code that its list does not have.
    UndeclaredEnum,
    /// Answers after the deadline.
    Slow,
    /// Declines. No misbehaviour at all (R21), and handy beside the others.
    Declines,
}

/// The answer, spoiled if the client's item says so. [`Misbehaviour::UnknownField`] is added when it is encoded: the
/// message types have no place for it.
pub(super) async fn answer(
    statement: proto::WorkCapacity,
    client: &Client,
    question: &proto::GetStatementRequest,
    clock: &dyn Clock,
) -> proto::GetStatementResponse {
    let statement = match client.behaviour {
        Some(Misbehaviour::OverDeliver) => client.statement.build(Mask::all()),
        Some(Misbehaviour::UndeclaredEnum) => undeclared(statement),
        Some(Misbehaviour::Slow) => {
            let deadline = question.deadline.as_ref().map_or(0, |time| Timestamp::from_proto(time).millis());
            let left = u64::try_from(deadline.saturating_sub(clock.now().millis())).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left.saturating_add(1_000)).min(LONGEST_SLEEP)).await;
            statement
        }
        Some(Misbehaviour::UnknownField | Misbehaviour::Declines) | None => statement,
    };
    proto::GetStatementResponse { result: Some(Answer::WorkCapacity(statement)) }
}

fn undeclared(mut statement: proto::WorkCapacity) -> proto::WorkCapacity {
    let hours = statement.working_hours.get_or_insert_default();
    hours.hours_per_week = Some(4711);
    statement
}

/// The answer's bytes, with an unknown field inside its statement.
pub(super) fn with_unknown_field(answer: &proto::GetStatementResponse) -> Vec<u8> {
    let Some(Answer::WorkCapacity(statement)) = &answer.result else { return answer.encode_to_vec() };
    let mut inner = statement.encode_to_vec();
    prost::encoding::string::encode(2000, &"Not a field of the catalogue.".to_owned(), &mut inner);
    let mut bytes = Vec::new();
    prost::encoding::bytes::encode(1, &inner, &mut bytes);
    bytes
}
