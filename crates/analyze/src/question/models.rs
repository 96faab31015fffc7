//! Models: calls, tokens and cost per provider and model.

use tachograph_model::Column;
use tachograph_model::answer::{ModelUse, Models, TokenCounts};

use crate::cells::{self, Cells, Row};

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Models {
    let rows = cells.of("llm_call");
    let mut models: Vec<ModelUse> = cells::groups(rows, |row| Some((row.source(), row.name())))
        .into_iter()
        .map(|((provider, model), rows)| model_use(provider, model, &rows))
        .collect();
    models.sort_by_key(|model| std::cmp::Reverse(model.calls.total()));
    let mut tokens = TokenCounts::default();
    for model in &models {
        tokens += model.tokens;
    }
    Models {
        calls: cells::outcomes(rows),
        tokens,
        cost_usd: cells::costs(rows).sum(),
        models,
    }
}

fn model_use(provider: Option<&str>, model: &str, rows: &[&Row]) -> ModelUse {
    let all = || rows.iter().copied();
    let calls = cells::outcomes(all());
    let costs = cells::costs(all());
    ModelUse {
        provider: provider.map(str::to_owned),
        model: model.to_owned(),
        calls,
        success_ratio: calls.success_ratio(),
        tokens: tokens(all()),
        cost_usd: costs.sum(),
        priced_calls: costs.count(),
        duration_ms: cells::durations(all()).spread(),
    }
}

/// Tokens of model calls; `None` where none tells any.
pub(super) fn tokens_told<'a>(calls: impl Iterator<Item = &'a Row> + Clone) -> Option<TokenCounts> {
    let tells = |row: &Row| {
        let told = [Column::InputTokens, Column::OutputTokens];
        told.iter().any(|column| row.cell.present(*column) > 0)
    };
    calls.clone().any(tells).then(|| tokens(calls))
}

fn tokens<'a>(calls: impl Iterator<Item = &'a Row> + Clone) -> TokenCounts {
    let of = |column| cells::sum(calls.clone(), column);
    TokenCounts {
        input: of(Column::InputTokens),
        output: of(Column::OutputTokens),
        cache_read: of(Column::CacheReadTokens),
        cache_write: of(Column::CacheWriteTokens),
        reasoning: of(Column::ReasoningTokens),
    }
}
