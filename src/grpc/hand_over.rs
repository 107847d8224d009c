//! Drops an answer that the transport has not taken within its second (P05): a connection that stalls must not let an
//! old answer out after a withdrawal.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{Status, body::Body};

use crate::domain::RefusalCode;

/// Until when the transport may take the answer.
#[derive(Clone, Copy, Debug)]
pub struct HandOver(pub Instant);

/// The body, handed out only before the deadline.
#[must_use]
pub fn guarded(body: Body, deadline: Instant) -> Body {
    Body::new(Guarded { body, deadline, state: State::Waiting })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Handed,
    Dropped,
}

struct Guarded {
    body: Body,
    deadline: Instant,
    state: State,
}

impl HttpBody for Guarded {
    type Data = <Body as HttpBody>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        match self.state {
            State::Dropped => return Poll::Ready(None),
            State::Waiting if Instant::now() > self.deadline => {
                self.state = State::Dropped;
                self.body = Body::empty();
                let dropped = Status::from(RefusalCode::AnswerDropped);
                let trailers = dropped.into_http::<Body>().headers().clone();
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            State::Waiting | State::Handed => {}
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.state = State::Handed;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Dropped || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use super::*;

    async fn first_frame(deadline: Instant) -> Frame<<Body as HttpBody>::Data> {
        let mut body = guarded(Body::new(String::from("answer")), deadline);
        poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn p05_an_answer_that_waits_too_long_is_dropped() {
        let now = Instant::now();
        assert!(first_frame(now + Duration::from_secs(60)).await.is_data());
        let late = first_frame(now.checked_sub(Duration::from_millis(1)).unwrap()).await;
        let trailers = late.into_trailers().unwrap();
        assert_eq!(trailers.get("grpc-status").unwrap(), "14");
    }
}
