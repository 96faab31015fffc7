//! Losses as a sheet.

use super::sheet::{Cell, Sheet, Table};
use crate::answer::Losses;

pub(super) fn sheet(found: &Losses) -> Sheet {
    let mut sheet = Sheet::new("losses", "Lost Events", "🕳");
    sheet.pair("Not recorded", "lost", Cell::Count(found.total));
    let columns = [
        ("Count", "count"),
        ("Reason", "reason"),
        ("First", "first"),
        ("Last", "last"),
    ];
    let mut table = Table::new("losses", "Type", &columns).least(&["first"]);
    for loss in &found.losses {
        table.row(
            &loss.kind,
            vec![
                Cell::Count(loss.count),
                Cell::Text(loss.reason.clone()),
                Cell::Time(loss.first),
                Cell::Time(loss.last),
            ],
        );
    }
    sheet.table(table);
    sheet
}
