//! Forty people who do not exist.

use serde::Serialize;
use sluis::domain::Bsn;

use super::{
    parties::{GGZ_KADE, GGZ_VEER, OEVERSTAD, POLDERVEEN, Party, SLUISDAM, WATERRIJK},
    pretty,
    random::Random,
};

/// How many there are.
pub const CLIENTS: usize = 40;

/// A client. There is nothing to him but a number, a town and an institution.
#[derive(Debug)]
pub struct Client {
    pub number: usize,
    pub bsn: String,
    pub town: &'static Party,
    pub ggz: &'static Party,
}

/// Forty numbers of the test range, which are given to nobody: 9999 and five digits that pass the elfproef.
pub fn draw() -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    // The main character has the test number that stands in many a manual.
    let mut bsn = 999_990_019;
    while clients.len() < CLIENTS {
        let number = clients.len() + 1;
        let text = bsn.to_string();
        if Bsn::parse(&text).is_ok() {
            let (town, ggz) = home(number);
            clients.push(Client { number, bsn: text, town, ggz });
            bsn += Random::of("bsn", number).number(1, 200);
        } else {
            bsn += 1;
        }
    }
    clients
}

fn home(number: usize) -> (&'static Party, &'static Party) {
    let ggz = if number % 2 == 1 { &GGZ_KADE } else { &GGZ_VEER };
    let town = match number {
        1 => &WATERRIJK,
        20 => &POLDERVEEN,
        21 => &SLUISDAM,
        _ => match number % 4 {
            0 | 1 => &WATERRIJK,
            2 => &OEVERSTAD,
            _ => &SLUISDAM,
        },
    };
    (town, ggz)
}

#[derive(Serialize)]
struct Row<'a> {
    label: String,
    bsn: &'a str,
    municipality: &'a str,
    ggz: &'a str,
}

/// `clients.json`: who is who.
pub fn listing(clients: &[Client]) -> Result<String, serde_json::Error> {
    let rows: Vec<_> = clients
        .iter()
        .map(|client| Row {
            label: format!("client-{:02}", client.number),
            bsn: &client.bsn,
            municipality: client.town.oin,
            ggz: client.ggz.oin,
        })
        .collect();
    pretty(&rows)
}
