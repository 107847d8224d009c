//! `sluis demo`.

use std::process::ExitCode;

pub use crate::demo::story::DemoArgs;

pub(super) async fn run(args: DemoArgs) -> ExitCode {
    crate::demo::story::run(args).await
}
