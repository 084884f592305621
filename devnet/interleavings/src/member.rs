//! One thread of a model, in the executor's own loop. What a transaction is, the model says.

use crate::{
    parallel::{crew::Crew, schedule::Schedule},
    sync::Mutex,
    window::{Plan, Window},
};

/// A block whose threads meet as the executor's do.
pub(crate) trait Model {
    /// What ends the block.
    type Error;

    fn plan(&self) -> &Plan;

    fn schedule(&self) -> &Schedule;

    fn frontier(&self) -> &Mutex<Window>;

    /// The frontier's owner is about to look ahead from there.
    fn looks_ahead(&self, _index: u32) {}

    /// Runs a transaction ahead of the frontier.
    fn speculate(&self, index: u32) -> Result<(), Self::Error>;

    /// Settles the transaction at the frontier, which has run ahead.
    fn settle_speculated(&self, index: u32) -> Result<(), Self::Error>;

    /// Runs the transaction at the frontier.
    fn run_settled(&self, index: u32) -> Result<(), Self::Error>;

    /// Runs a transaction of a stretch, which nobody else may have started.
    fn run_in_stretch(&self, index: u32) -> Result<(), Self::Error> {
        self.run_settled(index)
    }
}

/// One thread of a model.
pub(crate) struct Member<'a, M> {
    pub(crate) model: &'a M,
    pub(crate) id: u32,
}

impl<'a, M: Model> Crew<'a> for Member<'a, M> {
    type Frontier = Window;
    type Alone = (u32, u32);
    type Error = M::Error;

    fn id(&self) -> u32 {
        self.id
    }

    fn schedule(&self) -> &'a Schedule {
        self.model.schedule()
    }

    fn frontier(&self) -> &'a Mutex<Window> {
        self.model.frontier()
    }

    fn look_ahead(&mut self, window: &mut Window, index: u32) -> Option<(u32, u32)> {
        self.model.looks_ahead(index);
        window.look_ahead(self.model.plan(), self.model.schedule(), index).map(|end| (index, end))
    }

    fn speculate(&mut self, index: u32) -> Result<(), M::Error> {
        self.model.speculate(index)
    }

    fn settle_speculated(&mut self, _: &mut Window, index: u32) -> Result<(), M::Error> {
        self.model.settle_speculated(index)
    }

    fn run_settled(&mut self, _: &mut Window, index: u32) -> Result<(), M::Error> {
        self.model.run_settled(index)
    }

    fn run_alone(&mut self, _: &mut Window, (start, end): (u32, u32)) -> Result<(), M::Error> {
        (start..end).try_for_each(|index| self.model.run_in_stretch(index))?;
        self.model.schedule().settle_all(start, end);
        Ok(())
    }
}
