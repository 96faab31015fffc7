//! Token savings: the first seed's `get_token_savings`, with the baseline given
//! and sessions counted.

use tachograph_model::Column;
use tachograph_model::answer::{Note, NoteKind, Saving, TokenSavings};
use tachograph_model::question::Baseline;

use crate::cells::{self, Cells};

const NAME: &str = "token_savings";

/// Answers from the cells.
pub fn answer(cells: &Cells, baseline: Baseline, notes: &mut Vec<Note>) -> TokenSavings {
    let rows = cells.of("agent_load");
    let loads = cells::count(rows);
    let tokens = cells::sum(rows, Column::Tokens);
    let sessions = cells::count(cells.of("session_start"));
    let saving = |sessions: u64| {
        let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
        (loads > 0 && sessions > 0)
            .then(|| Saving::new(baseline.tokens.saturating_mul(sessions), tokens))
    };
    let found = TokenSavings {
        loads,
        agents: cells::groups(rows, |row| row.agent()).len() as u64,
        tokens,
        mean_tokens: (loads > 0).then(|| tokens as f64 / loads as f64),
        baseline,
        sessions,
        against_one_session: saving(1),
        against_sessions: saving(sessions),
    };
    if found.sessions == 0
        && found
            .against_one_session
            .is_some_and(|saving| saving.saved_tokens < 0)
    {
        notes.push(Note::on(
            NAME,
            NoteKind::Baseline,
            "the baseline is that of one session, and the window holds more than one session's \
             loads, but no session_start events to count them by",
        ));
    }
    found
}
