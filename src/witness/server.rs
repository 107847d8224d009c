//! The witness's HTTP interface, plain HTTP/1.1: TLS is for the proxy ahead of it. What it shows for good is signed. Its
//! statuses are not, by the protocol; whoever could change the line could keep cosignatures from a log, or say that it was
//! set back, which is why gateways reach a witness elsewhere over TLS only.

use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::{Body, Bytes},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};

use super::{
    memory::{Answer, Memory},
    request::AddCheckpoint,
};

/// A request is at most this long: 63 lines of proof and a checkpoint with 64 signatures need less.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a request may take to arrive, its head and its body each.
const ARRIVE: Duration = Duration::from_secs(10);
/// Connections at a time. Gateways come once a minute.
const CONNECTIONS: usize = 256;
/// How long connections have to end once the witness stops.
const END: Duration = Duration::from_secs(5);

/// Serves until `until`, then lets what is under way come to its end.
///
/// # Errors
/// If the port cannot be listened on any more.
pub async fn serve(
    listener: TcpListener,
    memory: Arc<Memory>,
    until: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(until);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Of one connection, or of a shortage that passes. Waiting a little keeps the loop from spinning.
                Err(fault) => {
                    tracing::warn!(%fault, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut until => break,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("too many connections; one was turned away");
            continue;
        };
        let (memory, stopped) = (Arc::clone(&memory), stopped.clone());
        tokio::spawn(async move {
            connection(stream, memory, stopped).await;
            drop(place);
        });
    }
    stop.send_replace(true);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    drop(timeout(END, places.acquire_many(all)).await);
    Ok(())
}

async fn connection(stream: TcpStream, memory: Arc<Memory>, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let memory = Arc::clone(&memory);
        async move { Ok::<_, Infallible>(answer(request, memory).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ARRIVE)
        .max_buf_size(MAX_BODY_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => {
            if let Err(fault) = ended {
                tracing::debug!(%fault, "a connection ended early");
            }
            return;
        }
        _ = stopped.wait_for(|stop| *stop) => {}
    }
    serving.as_mut().graceful_shutdown();
    drop(serving.await);
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body)
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

async fn answer<B>(request: Request<B>, memory: Arc<Memory>) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::POST, "/add-checkpoint") => add(request, memory).await,
        (_, "/add-checkpoint") => text(StatusCode::METHOD_NOT_ALLOWED, "add-checkpoint is a POST\n"),
        (&Method::GET, path) => {
            let newest = path.strip_prefix("/checkpoint/").and_then(|name| memory.newest(name));
            newest.map_or_else(
                || text(StatusCode::NOT_FOUND, "nothing is here\n"),
                |note| text(StatusCode::OK, note),
            )
        }
        _ => text(StatusCode::NOT_FOUND, "nothing is here\n"),
    }
}

async fn add<B>(request: Request<B>, memory: Arc<Memory>) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = match timeout(ARRIVE, Limited::new(request.into_body(), MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(fault)) if fault.is::<http_body_util::LengthLimitError>() => {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long\n");
        }
        Ok(Err(_)) => return text(StatusCode::BAD_REQUEST, "the request did not arrive\n"),
        Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the request took too long\n"),
    };
    let Some(request) = std::str::from_utf8(&body).ok().and_then(|body| AddCheckpoint::parse(body).ok())
    else {
        return text(StatusCode::BAD_REQUEST, "not an old size, a proof, an empty line and a checkpoint\n");
    };
    // On a thread of its own, which a caller that hangs up does not end between check and storing.
    let added = tokio::task::spawn_blocking(move || memory.add(&request)).await;
    match added.unwrap_or(Answer::Failed) {
        Answer::Cosigned(line) => text(StatusCode::OK, line),
        Answer::Backwards => {
            text(StatusCode::BAD_REQUEST, "the old size lies above the size of the checkpoint\n")
        }
        Answer::UnknownOrigin => text(StatusCode::NOT_FOUND, "this log is not witnessed here\n"),
        Answer::UnknownKey => text(StatusCode::FORBIDDEN, "not signed by a key of this log\n"),
        Answer::Conflict(size) => typed(StatusCode::CONFLICT, "text/x.tlog.size", format!("{size}\n")),
        Answer::BadProof => {
            text(StatusCode::UNPROCESSABLE_ENTITY, "the proof does not show that the log only grew\n")
        }
        Answer::Failed => text(StatusCode::INTERNAL_SERVER_ERROR, "the checkpoint could not be stored\n"),
    }
}
