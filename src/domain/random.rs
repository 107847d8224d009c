//! Random bytes, from the operating system through ring.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The operating system gave no random bytes. Nothing may go on without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandom;

/// Fresh random bytes.
///
/// # Errors
/// If the operating system gives none.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}
