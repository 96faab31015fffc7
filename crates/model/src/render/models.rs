//! Models as a sheet.

use super::sheet::{Cell, Sheet, Table, ratio, some};
use crate::answer::{Models, TokenCounts};

pub(super) fn sheet(found: &Models) -> Sheet {
    let mut sheet = Sheet::new("models", "Models", "🧠");
    sheet.pair("Calls", "calls", Cell::Count(found.calls.total()));
    sheet.pair(
        "Success rate",
        "success_ratio",
        ratio(found.calls.success_ratio()),
    );
    sheet.pair("Tokens in", "input_tokens", Cell::Whole(found.tokens.input));
    sheet.pair(
        "Tokens out",
        "output_tokens",
        Cell::Whole(found.tokens.output),
    );
    sheet.pair("Cost", "cost_usd", found.cost_usd.map(Cell::Usd));
    let columns = [
        ("Calls", "calls"),
        ("Failed", "failed"),
        ("Tokens in", "input_tokens"),
        ("Cached", "cache_read_tokens"),
        ("Cache writes", "cache_write_tokens"),
        ("Tokens out", "output_tokens"),
        ("Reasoning", "reasoning_tokens"),
        ("p50", "p50_ms"),
        ("p95", "p95_ms"),
        ("Cost", "cost_usd"),
    ];
    let mut table = Table::new("models", "Model", &columns).least(&[
        "cache_write_tokens",
        "reasoning_tokens",
        "p50_ms",
        "cache_read_tokens",
        "output_tokens",
        "input_tokens",
    ]);
    for model in &found.models {
        let name = match &model.provider {
            Some(provider) => format!("{provider}/{}", model.model),
            None => model.model.clone(),
        };
        let mut cells = vec![Cell::Count(model.calls.total()), some(model.calls.failed)];
        cells.extend(tokens(model.tokens));
        cells.push(model.duration_ms.map(|s| Cell::Ms(s.p50)).into());
        cells.push(model.duration_ms.map(|s| Cell::Ms(s.p95)).into());
        cells.push(model.cost_usd.map(Cell::Usd).into());
        table.row(name, cells);
    }
    sheet.table(table);
    sheet
}

fn tokens(tokens: TokenCounts) -> [Cell; 5] {
    let quiet = |count: i64| {
        if count == 0 {
            Cell::Nothing
        } else {
            Cell::Whole(count)
        }
    };
    [
        Cell::Whole(tokens.input),
        quiet(tokens.cache_read),
        quiet(tokens.cache_write),
        Cell::Whole(tokens.output),
        quiet(tokens.reasoning),
    ]
}
