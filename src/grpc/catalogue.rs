//! `CatalogueService` over gRPC: the catalogue as data (R30). It says nothing about any client, so it is no entry.

use std::sync::{Arc, LazyLock};

use tonic::{Request, Response, Status};

use super::calls::Caller;
use crate::{
    catalogue::{self, Coded, Entry, Form, Group, LeftOut, List, Part, Sensitivity, render},
    domain::RefusalCode,
    exchange::Exchange,
    proto::{self, catalogue_service_server::CatalogueService, value_form},
};

/// Made once: the catalogue is part of the program.
static CATALOGUE: LazyLock<proto::GetCatalogueResponse> = LazyLock::new(whole);

/// The service.
#[derive(Debug)]
pub struct CatalogueApi {
    /// Knows who takes part.
    pub exchange: Arc<Exchange>,
}

#[tonic::async_trait]
impl CatalogueService for CatalogueApi {
    async fn get_catalogue(
        &self,
        request: Request<proto::GetCatalogueRequest>,
    ) -> Result<Response<proto::GetCatalogueResponse>, Status> {
        let caller = Caller::of(&request)?;
        if self.exchange.rules.load().register.organisation(&caller.oin).is_none() {
            return Err(RefusalCode::OrganisationNotAdmitted.into());
        }
        let served = &*CATALOGUE;
        if request.get_ref().known_digest == served.digest {
            return Ok(Response::new(proto::GetCatalogueResponse {
                version: served.version.clone(),
                digest: served.digest.clone(),
                unchanged: true,
                ..Default::default()
            }));
        }
        Ok(Response::new(served.clone()))
    }
}

fn whole() -> proto::GetCatalogueResponse {
    proto::GetCatalogueResponse {
        version: catalogue::VERSION.to_owned(),
        digest: render::digest(),
        unchanged: false,
        groups: catalogue::groups().iter().map(group).collect(),
        metadata: catalogue::metadata().iter().map(field).collect(),
        lists: catalogue::lists().iter().map(|of| list(of)).collect(),
        open: catalogue::open().iter().map(left_out).collect(),
        never_carried: catalogue::never_carried().iter().map(left_out).collect(),
    }
}

fn group(group: &Group) -> proto::CatalogueGroup {
    proto::CatalogueGroup {
        code: group.code.to_owned(),
        path: group.name.to_owned(),
        label_nl: group.label_nl.to_owned(),
        label_en: group.label_en.to_owned(),
        fields: group.fields().map(|of| field(of.entry())).collect(),
    }
}

fn field(entry: &Entry) -> proto::CatalogueField {
    let sensitivity = match entry.sensitivity {
        Sensitivity::S0 => proto::Sensitivity::S0,
        Sensitivity::S1 => proto::Sensitivity::S1,
        Sensitivity::S2 => proto::Sensitivity::S2,
    };
    proto::CatalogueField {
        code: entry.code.to_owned(),
        path: entry.path.to_owned(),
        label_nl: entry.label_nl.to_owned(),
        label_en: entry.label_en.to_owned(),
        definition_nl: entry.definition_nl.to_owned(),
        definition_en: entry.definition_en.to_owned(),
        origin: entry.origin.to_owned(),
        icf: entry.icf.to_owned(),
        sensitivity: sensitivity.into(),
        field_set: entry.field_set.to_owned(),
        unit: entry.unit.to_owned(),
        form: Some(form(&entry.form)),
    }
}

fn form(of: &Form) -> proto::ValueForm {
    use value_form::Form as Served;
    let form = match of {
        Form::Code(list) => Served::CodeOf(list.name.to_owned()),
        Form::Codes(list) => Served::CodesOf(list.name.to_owned()),
        Form::Number { min, max } => Served::Number(proto::NumberForm { min: *min, max: *max }),
        Form::YesNo => Served::YesNo(proto::YesNoForm {}),
        Form::Day => Served::Day(proto::DayForm {}),
        Form::Organisation => Served::Organisation(proto::OrganisationForm {}),
        Form::Parts { parts, most } => Served::Parts(proto::PartsForm {
            parts: parts.iter().map(part).collect(),
            most: u32::try_from(*most).unwrap_or(u32::MAX),
        }),
    };
    proto::ValueForm { form: Some(form) }
}

fn part(part: &Part) -> proto::PartForm {
    proto::PartForm {
        name: part.name.to_owned(),
        definition_en: part.definition_en.to_owned(),
        form: Some(form(&part.form)),
    }
}

fn list(list: &List) -> proto::CodeList {
    let value = |value: &Coded| proto::CodedValue {
        number: value.number,
        name: value.name.to_owned(),
        label_nl: value.label_nl.to_owned(),
        label_en: value.label_en.to_owned(),
        instrument_code: value.instrument_code.to_owned(),
    };
    proto::CodeList {
        name: list.name.to_owned(),
        definition_en: list.definition_en.to_owned(),
        values: list.values.iter().map(value).collect(),
    }
}

fn left_out(row: &LeftOut) -> proto::LeftOut {
    proto::LeftOut {
        code: row.code.to_owned(),
        label_nl: row.label_nl.to_owned(),
        label_en: row.label_en.to_owned(),
        reason_nl: row.reason_nl.to_owned(),
        reason_en: row.reason_en.to_owned(),
    }
}
