//! What a failed call means. The texts of a status are a source's own words: they are read by nobody and logged nowhere.

use std::{error::Error, io, iter};

use tonic::{Code, ConnectError, Status, TimeoutExpired};

use crate::domain::Reason;

/// The causes below a status that was made on this side; a status that the source sent has none.
fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(status.source(), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        // `source` would skip the error that it wraps.
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn has<E: Error + 'static>(status: &Status) -> bool {
    causes(status).any(|error| error.is::<E>())
}

/// The reason in the log.
pub(super) fn reason(status: &Status) -> Reason {
    if has::<rustls::Error>(status) {
        return Reason::SourceNotTrusted;
    }
    if has::<TimeoutExpired>(status) {
        return Reason::SourceTooLate;
    }
    if status.source().is_some() {
        return Reason::SourceUnavailable;
    }
    match status.code() {
        Code::DeadlineExceeded | Code::Cancelled => Reason::SourceTooLate,
        // It answered, and gives nothing: by which error is its own affair.
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::NotFound
        | Code::InvalidArgument
        | Code::FailedPrecondition => Reason::SourceDeclined,
        // How a message above the limit is told.
        Code::OutOfRange => Reason::SourceInvalid,
        Code::Ok
        | Code::Unknown
        | Code::AlreadyExists
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => Reason::SourceUnavailable,
    }
}

/// Whether the connection was gone before the request was sent on it, so that asking again asks once.
pub(super) fn never_sent(status: &Status) -> bool {
    let canceled = |error: &(dyn Error + 'static)| {
        error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
    };
    causes(status).any(canceled) && !has::<ConnectError>(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_here(error: impl Error + Send + Sync + 'static) -> Status {
        Status::from_error(Box::new(error))
    }

    #[test]
    fn transport_errors_are_told_apart() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let untrusted = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert_eq!(reason(&made_here(ConnectError(Box::new(refused)))), Reason::SourceUnavailable);
        assert_eq!(reason(&made_here(ConnectError(Box::new(untrusted)))), Reason::SourceNotTrusted);
    }

    #[test]
    fn a_status_of_the_source_is_never_retried() {
        for code in [Code::Unavailable, Code::Cancelled, Code::Aborted] {
            assert!(!never_sent(&Status::new(code, "")));
        }
    }
}
