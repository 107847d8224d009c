//! The stream of notices. It looks for more every second, and ends after some minutes, so that whoever watches is
//! authenticated anew; then it goes on from its cursor.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tonic::Status;

use super::messages;
use crate::{
    consent::{ConsentDesk, desk::Watch},
    domain::Oin,
    identity::Function,
    proto,
};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// How long a stream lives.
const LIFETIME: Duration = Duration::from_secs(300);

/// The stream.
pub type Notices = Pin<Box<dyn Stream<Item = Result<proto::ConsentNotice, Status>> + Send>>;

struct Telling {
    desk: Arc<ConsentDesk>,
    caller: Oin,
    watch: Watch,
    ends: tokio::time::Instant,
    waiting: std::vec::IntoIter<proto::ConsentNotice>,
    looked: bool,
}

pub(super) fn notices(desk: Arc<ConsentDesk>, caller: Oin, begin: Watch) -> Notices {
    let state = Telling {
        desk,
        caller,
        watch: begin,
        ends: tokio::time::Instant::now() + LIFETIME,
        waiting: Vec::new().into_iter(),
        looked: false,
    };
    Box::pin(stream::try_unfold(state, |mut state| async move {
        loop {
            if let Some(notice) = state.waiting.next() {
                return Ok(Some((notice, state)));
            }
            if state.looked {
                if tokio::time::Instant::now() + EVERY >= state.ends {
                    return Ok(None);
                }
                tokio::time::sleep(EVERY).await;
            }
            // Who is no longer admitted hears no more.
            let all = [Function::Recorder, Function::Source, Function::Requester];
            state.desk.admit(state.caller, &all)?;
            let found = state.desk.notices(state.caller, &mut state.watch).await?;
            state.looked = found.is_empty();
            state.waiting = found.iter().map(messages::notice).collect::<Vec<_>>().into_iter();
        }
    }))
}
