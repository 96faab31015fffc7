//! Why nothing was taken, as a problem: for the doors that answer as RFC 9457
//! has it.

use super::body::BodyError;
use super::journal::Refused;
use crate::api::problem::{Kind, Problem};

/// When to try again after overload, seconds.
const OVERLOAD_SECONDS: u32 = 1;
/// When to try again after the disk said no, seconds.
const DISK_SECONDS: u32 = 5;

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::TooLarge(_) => Kind::TooLarge,
            BodyError::Encoding(_) => Kind::UnsupportedType,
            BodyError::Damaged { .. } | BodyError::Cut(_) => Kind::BadBody,
            BodyError::Slow(_) => Kind::Timeout,
            BodyError::Overloaded => return Refused::Overloaded.into(),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let (kind, seconds) = match refused {
            Refused::Overloaded => (Kind::Overloaded, OVERLOAD_SECONDS),
            Refused::Disk(_) => (Kind::NotStored, DISK_SECONDS),
            Refused::Stopping => (Kind::Stopping, DISK_SECONDS),
        };
        Self::new(kind, refused.to_string()).retry_after(seconds)
    }
}
