//! A judgement that may be nobody's: what [`Monitor::open`](crate::Monitor::open) gives, for those who wrap it. Nobody
//! wants nothing recorded, spends nothing, lets everything pass and says nothing.

use crate::{Allowance, Closing, Decision, Fault, FuelSpent, Judgement, Judging, StateView, Subscriptions, Trace};

impl Judging for Option<Box<dyn Judging + '_>> {
    fn subscriptions(&self) -> Subscriptions {
        self.as_ref().map_or(Subscriptions::NONE, |judging| judging.subscriptions())
    }

    fn allow(&mut self, allowance: Allowance) {
        if let Some(judging) = self {
            judging.allow(allowance);
        }
    }

    fn spent(&self) -> FuelSpent {
        self.as_ref().map_or_else(FuelSpent::default, |judging| judging.spent())
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.as_mut().map_or(Ok(Decision::Proceed), |judging| judging.on_call(trace, frame, view))
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.as_mut().map_or(Ok(Decision::Proceed), |judging| judging.on_call_end(trace, frame, view))
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        self.as_mut().is_some_and(|judging| judging.stirs(closing))
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.as_mut().map_or(Ok(Decision::Proceed), |judging| judging.on_tx(trace, view))
    }

    fn can_be_asked_again(&self) -> bool {
        self.as_ref().is_none_or(|judging| judging.can_be_asked_again())
    }

    fn close(self: Box<Self>) -> Judgement {
        self.map(|judging| judging.close()).unwrap_or_default()
    }
}
