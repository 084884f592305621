//! What a guard said, and where.

/// Where a guard spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// At attachment.
    Init,
    /// As the frame with this id started.
    OnCall(u32),
    /// As the frame with this id ended.
    OnCallEnd(u32),
    /// After execution.
    OnTx,
}

/// One veto or alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub hook: Hook,
    /// The guard's code.
    pub code: u16,
    /// The guard's words.
    pub detail: String,
}

/// What became of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The veto, if there was one.
    pub veto: Option<Said>,
    /// Alerts, in order.
    pub alerts: Vec<Said>,
}

impl Outcome {
    /// Code of the veto.
    #[must_use]
    pub fn vetoed(&self) -> Option<u16> {
        self.veto.as_ref().map(|veto| veto.code)
    }
}
