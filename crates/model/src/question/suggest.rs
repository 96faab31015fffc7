use super::Scope;

/// Asks for thresholds that the past suggests: above what is usual, below what
/// stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suggest {
    /// Which past.
    pub scope: Scope,
}

impl Suggest {
    /// Days unless told otherwise.
    pub const DAYS: u32 = 30;
}
