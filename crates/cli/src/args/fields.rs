//! A flag for each field of each kind of event, made from the table of kinds.

use std::sync::LazyLock;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use tachograph_model::KINDS;

/// The fields given as flags: key and text, in the order of the table.
#[derive(Debug, Default)]
pub struct Fields(pub Vec<(&'static str, String)>);

impl Args for Fields {
    fn augment_args(command: Command) -> Command {
        let mut command = command.after_long_help(kinds_help());
        for (key, flag) in FLAGS.iter() {
            let arg = Arg::new(flag.as_str())
                .long(&flag[2..])
                .value_name("VALUE")
                .action(ArgAction::Set)
                .num_args(0..=1)
                .default_missing_value("true")
                .allow_negative_numbers(true)
                .hide(true);
            command = command.arg(if key.contains('_') {
                arg.alias(*key)
            } else {
                arg
            });
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut fields = Self::default();
        fields.update_from_arg_matches(matches)?;
        Ok(fields)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = FLAGS
            .iter()
            .filter_map(|(key, flag)| Some((*key, matches.get_one::<String>(flag)?.clone())))
            .collect();
        Ok(())
    }
}

/// Every key of every kind, once, and its flag (which is also clap's name for
/// it: a key may be what another argument is called).
static FLAGS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let mut keys: Vec<&str> = KINDS
        .iter()
        .flat_map(|kind| kind.fields.iter().map(|field| field.key))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key, format!("--{}", key.replace('_', "-"))))
        .collect()
});

fn kinds_help() -> String {
    let mut help = String::from(
        "A field is a flag of its own name, with `-` for `_`; a bare flag means true. Without a \
         kind, JSON is read from stdin, one object a line; one without `timestamp` gets the \
         present.\n\nKinds and their fields:\n",
    );
    for kind in KINDS {
        help.push_str(&format!("  {:16} ", kind.name));
        let mut width = 19;
        for field in kind.fields {
            let flag = format!("--{} ", field.key.replace('_', "-"));
            if width + flag.len() > 98 {
                help.push_str("\n                   ");
                width = 19;
            }
            width += flag.len();
            help.push_str(&flag);
        }
        help.push('\n');
    }
    help.push_str(
        "\nExamples:\n  \
         tacho record tool_call --tool search --duration-ms 12.5 --success true\n  \
         tacho record llm_call --provider anthropic --model opus --input-tokens 900 --cost-usd 0.02\n  \
         tacho record metric --field name=queue_depth --field type=gauge --field value=7\n  \
         echo '{\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":3}' | tacho record",
    );
    help
}
