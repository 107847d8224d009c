//! The client: asks, and looks at each answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use prost::Message as _;
use serde::Serialize;
use sluis::proto::exchange_service_client::ExchangeServiceClient;
use tonic::transport::Channel;

use crate::{
    common::{
        Fault,
        load::{self, Caller},
    },
    process::Usage,
    region::{Questions, Region, is_full},
};

/// How many calls at all times.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shape {
    /// Connections.
    pub connections: usize,
    /// Calls on each.
    pub streams: usize,
}

/// What came of one measurement.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Answers a second.
    pub per_second: f64,
    /// Half of them came within this, in milliseconds.
    pub p50_ms: f64,
    /// All but one in a hundred came within this, in milliseconds.
    pub p99_ms: f64,
    /// What the process in the middle computed for one, in microseconds.
    pub cpu_us: f64,
    /// Its memory, in MiB.
    pub rss_mib: f64,
    /// Bytes of an answer.
    pub answer_bytes: usize,
}

/// One call of a connection.
struct Asker {
    client: ExchangeServiceClient<Channel>,
    questions: Arc<Questions>,
    answer_bytes: Arc<AtomicUsize>,
}

impl Caller for Asker {
    async fn call(&mut self) -> Result<(), Fault> {
        let answer = self.client.request_work_capacity(self.questions.next()).await?.into_inner();
        if !is_full(&answer) {
            return Err("an answer lacks what was asked; what was measured is something else".into());
        }
        self.answer_bytes.store(answer.encoded_len(), Ordering::Relaxed);
        Ok(())
    }
}

/// Measures the process of this number at this address.
pub async fn measure(
    region: &Region,
    questions: &Arc<Questions>,
    (url, process): (&str, u32),
    shape: Shape,
    seconds: f64,
) -> Result<Measured, Fault> {
    let answer_bytes = Arc::new(AtomicUsize::new(0));
    let mut askers = Vec::with_capacity(shape.connections * shape.streams);
    for _ in 0..shape.connections {
        let client = ExchangeServiceClient::new(region.requester(url).await?);
        askers.extend((0..shape.streams).map(|_| Asker {
            client: client.clone(),
            questions: Arc::clone(questions),
            answer_bytes: Arc::clone(&answer_bytes),
        }));
    }
    let mut used = Vec::new();
    let times = load::drive(askers, seconds, || {
        used.push(Usage::of(process)?);
        Ok(())
    })
    .await?;
    let (before, after) = used.first().zip(used.last()).ok_or("the process was not looked at")?;
    Ok(Measured {
        per_second: times.per_second(),
        p50_ms: times.percentile(0.5),
        p99_ms: times.percentile(0.99),
        cpu_us: (after.cpu - before.cpu).as_secs_f64() * 1e6 / times.count(),
        rss_mib: after.rss_kib as f64 / 1_024.0,
        answer_bytes: answer_bytes.load(Ordering::Relaxed),
    })
}
