//! Damage that a run left where somebody would use it, although no expectation speaks of it. A verdict alone does
//! not show it: a client can say that a download failed and still have given the damaged file its name, and a
//! server can go on listing what everybody knows to be damaged.

use super::{Plan, UnmetExpectation};
use crate::scenario::Expect;
use crate::verdict::{Aftermath, Condition, Judgement, LeftoverFile};
use faults::{Direction, Verdict};

/// The damaged files that nobody expected, each as an expectation that was not met.
///
/// A silent acceptance leaves such a file behind of necessity and is spoken of elsewhere. What the server lists
/// is also settled by an expectation of its listing: there are runs in which a correct client cannot discard,
/// because the connection is gone.
pub(super) fn unexpected(
    plan: &Plan,
    judgements: &[Judgement],
    aftermath: &Aftermath,
) -> Vec<UnmetExpectation> {
    let is_listed_by_scenario = plan.expect().iter().any(|it| matches!(it.value, Expect::Lists(_)));
    let server = if is_listed_by_scenario { &[][..] } else { &aftermath.server };
    let listed = damaged(server, Direction::Upload, judgements).cloned().map(UnmetExpectation::StaysListed);
    let kept = damaged(&aftermath.clients, Direction::Download, judgements).cloned();
    listed.chain(kept.map(UnmetExpectation::KeptByClient)).collect()
}

/// Those of `left` that are damaged, without a verdict that tells why.
fn damaged<'a>(
    left: &'a [LeftoverFile],
    direction: Direction,
    judgements: &'a [Judgement],
) -> impl Iterator<Item = &'a LeftoverFile> {
    let tells_why = move |judgement: &Judgement| match (judgement.direction, judgement.verdict) {
        (_, Verdict::Silent) => judgement.direction == direction,
        // A true copy of what the server has: the damage came with the upload, which has a verdict of its own.
        (Direction::Download, Verdict::Intact | Verdict::Recovered) => direction == Direction::Download,
        _ => false,
    };
    let is_explained =
        move |left: &LeftoverFile| judgements.iter().any(|it| it.file == left.name && tells_why(it));
    left.iter().filter(move |left| left.condition == Condition::Damaged && !is_explained(left))
}
