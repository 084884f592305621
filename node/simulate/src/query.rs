//! What readers ask guards.

use parapet_executor::{ChainRules, Point, Session, block_env};
use parapet_monitor::{Answer, Monitor, QueryError, Question};
use revm::inspector::NoOpInspector;

use crate::call::{identity, overlay};

/// Has the monitor answer a reader, on the state and in the block of a point. Nothing is written.
///
/// # Errors
/// [`QueryError`].
pub fn query(point: &Point<'_>, question: Question<'_>, monitor: &dyn Monitor) -> Result<Answer, QueryError> {
    let (rules, env) = (ChainRules::of(point.params), block_env(point.params, point.block));
    Session::new(overlay(point), rules, env, monitor, NoOpInspector {}).query(question, identity(point.block))
}
