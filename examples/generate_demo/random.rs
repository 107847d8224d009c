//! A small generator (SplitMix64), so that no library's next version changes the data.

/// A stream of numbers.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each purpose, so that drawing more in one place moves nothing in another.
    pub fn of(purpose: &str, client: usize) -> Self {
        let mixed = purpose
            .bytes()
            .fold(super::SEED, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut random = Self(mixed ^ (client as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn number(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(high.abs_diff(low)) + 1;
        low + i32::try_from(self.next() % span).unwrap_or(0)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: i32) -> bool {
        self.number(1, 100) <= percent
    }

    /// The value, so many times in a hundred.
    pub fn maybe<T>(&mut self, percent: i32, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(percent).then(|| value(self))
    }
}
