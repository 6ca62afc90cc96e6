//! The machine's clock, randomness and ids.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use placet_core::clock::{Clock, Timestamp};
use placet_core::entropy::Entropy;
use placet_core::error::{Code, Error};
use placet_core::id::Ids;

/// The machine's wall clock, in UTC, to the microsecond, and its steady one.
///
/// ```
/// use placet::clock::{Clock, Timestamp};
///
/// let now: Timestamp = placet::SystemClock::default().now();
/// assert!(now > "2026-01-01T00:00:00Z".parse()?);
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the driver that a `Clock` stands for")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the driver that a `Clock` stands for")]
    fn steady_ms(&self) -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The operating system's randomness. Where it gives none, [`Entropy::fill`] fails with [`Code::Internal`].
///
/// ```
/// use placet::entropy::Entropy;
///
/// let mut seed = [0; 32];
/// placet::SystemEntropy::default().fill(&mut seed)?;
/// assert_ne!(seed, [0; 32]);
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).map_err(|source| {
            Error::new(Code::Internal, "the operating system gives no random bytes")
                .with_help("check that the process may read the system's random source")
                .with_source(source)
        })
    }
}

/// Ids as UUID version 7 (RFC 9562 §5.7): the time in milliseconds, then 74 random bits.
///
/// ```
/// use placet::id::{Ids, RequestId};
///
/// let ids = placet::SystemIds::default();
/// let id = RequestId::from_u128(ids.next());
/// assert_eq!(id.to_uuid_string().chars().nth(14), Some('7'));
/// assert_ne!(RequestId::from_u128(ids.next()), id);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemIds;

impl Ids for SystemIds {
    fn next(&self) -> u128 {
        let mut random = [0; 10];
        // Without randomness the time alone must do: a repeated id is then refused by the store, which
        // expects a new key to be absent.
        let _filled = SystemEntropy.fill(&mut random);
        let ms = u64::try_from(SystemClock.now().as_micros()).unwrap_or_default() / 1_000;
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid().as_u128()
    }
}
