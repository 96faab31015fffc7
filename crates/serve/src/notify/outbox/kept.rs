//! What outlives the server: how each alert stands, and what each channel was
//! told of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tachograph_model::UnixNanos;

use super::{Alert, Facts, Outbox, Standing};
use crate::notify::item::Item;
use crate::notify::told;

/// As it lies in the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptPost {
    #[serde(default)]
    alerts: Vec<KeptAlert>,
    #[serde(default)]
    channels: BTreeMap<String, Facts>,
    /// Of `alerts/told.jsonl`, the last line that is in it.
    #[serde(default)]
    pub(crate) told: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptAlert {
    #[serde(flatten)]
    item: Item,
    told: BTreeMap<String, Standing>,
}

impl Outbox {
    /// Goes on with what was kept. A channel that is new is told of what fires.
    pub(in crate::notify) fn resume(&mut self, kept: KeptPost) {
        for of in &mut self.channels {
            if let Some(facts) = kept.channels.get(of.channel.name()) {
                of.facts = facts.clone();
            }
        }
        for KeptAlert { item, mut told } in kept.alerts {
            let standing = self.channels.iter().map(|of| {
                let known = told.remove(of.channel.name());
                known.or_else(|| {
                    let new = item.is_firing() && of.channel.wants(&item);
                    new.then(Standing::default)
                })
            });
            let standing = standing.collect();
            self.alerts.insert(item.key(), Alert { item, standing });
        }
    }

    /// Takes what channels were told of after that was kept.
    pub(in crate::notify) fn resume_told(&mut self, lines: Vec<told::Line>) {
        for line in lines {
            let mut channels = self.channels.iter();
            let Some(at) = channels.position(|of| of.channel.name() == line.channel) else {
                continue;
            };
            for (key, told) in line.told {
                if let Some(standing) = self.standing(at, &key) {
                    standing.told = Some(told);
                    standing.at = line.at;
                }
            }
        }
        self.forget();
    }

    /// Takes what fires as told of to all: it was, and only the note of it is lost.
    pub(in crate::notify) fn assume_told(&mut self, firing: Vec<Item>, now: UnixNanos) {
        for item in firing {
            let told = Standing {
                told: Some((item.status, item.fired_at)),
                at: now,
                tried: None,
            };
            let standing = self.channels.iter();
            let standing = standing.map(|of| of.channel.wants(&item).then(|| told.clone()));
            let standing = standing.collect();
            self.alerts.insert(item.key(), Alert { item, standing });
        }
    }

    /// What is to be kept, with all that channels were told of up to that line.
    pub(in crate::notify) fn kept(&self, told: u64) -> KeptPost {
        let alerts = self.alerts.values().map(|alert| {
            let standing = self.channels.iter().zip(&alert.standing);
            let standing = standing.filter_map(|(of, standing)| {
                Some((of.channel.name().to_owned(), standing.clone()?))
            });
            KeptAlert {
                item: alert.item.clone(),
                told: standing.collect(),
            }
        });
        let channels = self.channels.iter();
        let channels = channels.map(|of| (of.channel.name().to_owned(), of.facts.clone()));
        KeptPost {
            alerts: alerts.collect(),
            channels: channels.collect(),
            told,
        }
    }
}
