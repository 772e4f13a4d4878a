//! How many rows a stranger may add to the audit trail, which keeps every row for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use token_domain::Timestamp;
use token_domain::usage::Hour;

use super::key::{Key, network_text};
use super::lock;

/// Refusals of one network that get a row of their own within an hour; the next row says how many did not.
const ROWS_PER_NETWORK: u32 = 20;
/// Rows for refusals within an hour, over all networks: some two MiB a day at most.
const ROWS: u32 = 500;

/// Counts the rows that were written for refusals within the hour.
#[derive(Debug, Default)]
pub struct RefusalLedger {
    hour: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    hour: Option<Hour>,
    rows: u32,
    networks: HashMap<Key, u32>,
    /// Refusals without a row since the last one that got one.
    left_out: u64,
}

impl RefusalLedger {
    /// Asks for a row for a refusal of a client at this address. Granted, it says how many refusals before it got none.
    pub fn row(&self, address: Option<IpAddr>, now: Timestamp) -> Option<u64> {
        let mut counted = lock(&self.hour);
        let hour = Hour::of(now);
        if counted.hour != Some(hour) {
            *counted = Counted { hour: Some(hour), left_out: counted.left_out, ..Counted::default() };
        }
        let rows_left = counted.rows < ROWS;
        // Networks are looked up only while rows are left, so at most as many networks as rows are remembered.
        let granted = rows_left && {
            let of_network = counted.networks.entry(Key::of("network", &[&network_text(address)])).or_default();
            let granted = *of_network < ROWS_PER_NETWORK;
            *of_network += u32::from(granted);
            granted
        };
        if granted {
            counted.rows += 1;
            Some(std::mem::take(&mut counted.left_out))
        } else {
            counted.left_out += 1;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use token_domain::Span;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn v4(a: u8, b: u8) -> IpAddr {
        IpAddr::from([192, 0, a, b])
    }

    #[test]
    fn a_flood_gets_a_few_rows_an_hour_and_the_next_one_says_how_many_it_was() {
        let ledger = RefusalLedger::default();
        let rows = (0..5_940).filter(|_| ledger.row(Some(v4(2, 1)), NOW).is_some()).count();
        assert_eq!(rows, 20);
        assert_eq!(ledger.row(Some(v4(2, 2)), NOW), Some(5_920), "somebody else's is written, and says so");
        assert_eq!(ledger.row(Some(v4(2, 2)), NOW), Some(0));
        let all =
            (0..=255).flat_map(|a| (0..=255).map(move |b| v4(a, b))).filter(|at| ledger.row(Some(*at), NOW).is_some());
        assert_eq!(all.count(), 500 - 22);
        assert!(lock(&ledger.hour).networks.len() <= 501);
        assert!(ledger.row(Some(v4(2, 1)), NOW + Span::seconds(3_600)).is_some(), "an hour later");
    }
}
