use super::Scope;

/// Asks what fails, by type and origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// Which events.
    pub scope: Scope,
}
