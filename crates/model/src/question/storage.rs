/// Asks what lies on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Storage;
