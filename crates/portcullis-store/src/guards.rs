//! Guards: their definitions, as versioned JSON.

use std::collections::BTreeMap;

use http::{Method, Uri};
use ipnet::IpNet;
use portcullis_core::ability::Ability;
use portcullis_core::guard::{Definition, Guard, Kind, Preset, Source};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::{Organization, State};
use portcullis_core::scheme::SchemeName;
use serde::{Deserialize, Serialize};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "guards";

/// The stored form of a definition; a later one gets another number.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u32,
    /// Absent in rows of routes, which a build that knows no listeners reads too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    listener: bool,
    hosts: Vec<String>,
    prefix: String,
    /// The first upstream; the others stand apart, so that nodes of the last release read the row of
    /// whoever has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more_upstreams: Vec<String>,
    schemes: Vec<(String, BTreeMap<String, String>)>,
    networks: Option<Vec<IpNet>>,
    methods: Vec<String>,
    ability: Option<String>,
    pass_credential: bool,
    strip_prefix: bool,
    // Left out where it is not demanded, so that nodes of the last release read the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    client_certificate: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    upgrades: Vec<String>,
    /// Left out where it is the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    assertion: bool,
}

/// A guard's own row.
#[derive(Clone, Debug)]
pub struct GuardRow {
    /// Its identity.
    pub id: Id<Guard>,
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// Where it was written down.
    pub source: Source,
    /// What it is.
    pub definition: Definition,
    /// Whether it stands.
    pub state: State,
    /// The revision of its last change.
    pub version: Revision,
}

#[expect(clippy::needless_pass_by_value, reason = "an error goes where it is mapped")]
fn corrupt<R: ToString>(reason: R) -> StoreError {
    StoreError::Corrupt { table: TABLE, reason: reason.to_string() }
}

fn write(definition: &Definition) -> Result<String, StoreError> {
    let stored = Stored {
        form: 1,
        listener: definition.kind == Kind::Listener,
        hosts: definition.hosts.clone(),
        prefix: definition.prefix.clone(),
        upstream: definition.upstreams.first().map(Uri::to_string),
        more_upstreams: definition.upstreams.iter().skip(1).map(Uri::to_string).collect(),
        schemes: definition
            .schemes
            .iter()
            .map(|(name, options)| (name.as_str().to_owned(), options.clone()))
            .collect(),
        networks: definition.networks.clone(),
        methods: definition.methods.iter().map(Method::to_string).collect(),
        ability: definition.ability.as_ref().map(Ability::to_string),
        pass_credential: definition.pass_credential,
        strip_prefix: definition.strip_prefix,
        client_certificate: definition.client_certificate,
        upgrades: definition.upgrades.clone(),
        identity: (definition.identity != Preset::USUAL)
            .then(|| definition.identity.iter().map(|preset| preset.as_str().to_owned()).collect()),
        assertion: definition.assertion,
    };
    serde_json::to_string(&stored).map_err(corrupt)
}

fn parse(name: String, json: &str) -> Result<Definition, StoreError> {
    let stored: Stored = serde_json::from_str(json).map_err(corrupt)?;
    let scheme = |(name, options): (String, _)| {
        let found =
            SchemeName::named(&name).ok_or_else(|| corrupt(format!("no scheme `{name}`")))?;
        Ok((found, options))
    };
    let method = |text: &String| Method::from_bytes(text.as_bytes()).map_err(corrupt);
    let upstreams = stored.upstream.iter().chain(&stored.more_upstreams);
    let preset =
        |text: &String| Preset::parse(text).ok_or_else(|| corrupt(format!("no preset `{text}`")));
    let identity = match &stored.identity {
        Some(presets) => presets.iter().map(preset).collect::<Result<_, StoreError>>()?,
        None => Preset::USUAL.into(),
    };
    Ok(Definition {
        kind: if stored.listener { Kind::Listener } else { Kind::Route },
        name,
        hosts: stored.hosts,
        prefix: stored.prefix,
        upstreams: upstreams.map(|it| it.parse().map_err(corrupt)).collect::<Result<_, _>>()?,
        schemes: stored.schemes.into_iter().map(scheme).collect::<Result<_, StoreError>>()?,
        networks: stored.networks,
        client_certificate: stored.client_certificate,
        methods: stored.methods.iter().map(method).collect::<Result<_, _>>()?,
        ability: stored.ability.as_deref().map(Ability::parse).transpose().map_err(corrupt)?,
        pass_credential: stored.pass_credential,
        strip_prefix: stored.strip_prefix,
        upgrades: stored.upgrades,
        identity,
        assertion: stored.assertion,
    })
}

pub(crate) fn read(mut row: Row) -> Result<GuardRow, StoreError> {
    let (id, organization) = (row.next(TABLE)?, row.next(TABLE)?);
    let (name, source): (String, String) = (row.next(TABLE)?, row.next(TABLE)?);
    Ok(GuardRow {
        id,
        organization,
        source: Source::parse(&source).ok_or_else(|| corrupt("its source is none"))?,
        definition: parse(name, &row.next::<String>(TABLE)?)?,
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes a guard.
    ///
    /// # Errors
    /// There is one of that name, or the store's own.
    pub fn insert_guard(
        &mut self,
        organization: Id<Organization>,
        source: Source,
        definition: &Definition,
    ) -> Result<Id<Guard>, StoreError> {
        self.must_stand(organization)?;
        let id = Id::fresh(self.now)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO guards (id, organization, name, source, definition, state, created,
                     revision)
                 VALUES ($1, $2, $3, $4, $5, 'active', $6, $7)"
            ),
            &[
                id.into(),
                organization.into(),
                definition.name.as_str().into(),
                source.as_str().into(),
                write(definition)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Changes what a guard is; its identity and name stay, and with them what counts at it alone.
    ///
    /// # Errors
    /// There is none of that name, or the store's own.
    pub fn update_guard(
        &mut self,
        id: Id<Guard>,
        definition: &Definition,
    ) -> Result<(), StoreError> {
        let (revision, name) = (self.revision, definition.name.as_str());
        self.execute_one(
            "guard",
            &sql!(
                "UPDATE guards SET definition = $3, revision = $4
                 WHERE id = $1 AND name = $2 AND state <> 'deleted'"
            ),
            &[id.into(), name.into(), write(definition)?.into(), revision.into()],
        )
    }

    /// Deletes the guard called `name` that was written down in `source`.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_guard(&mut self, name: &str, source: Source) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "guard of the store",
            &sql!(
                "UPDATE guards SET state = 'deleted', revision = $3
                 WHERE name = $1 AND source = $2 AND state <> 'deleted'"
            ),
            &[name.into(), source.as_str().into(), revision.into()],
        )
    }

    /// Every guard that stands.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_guards(&mut self) -> Result<Vec<GuardRow>, StoreError> {
        list(self)
    }
}

impl Reading<'_> {
    /// Every guard that stands.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_guards(&mut self) -> Result<Vec<GuardRow>, StoreError> {
        list(self)
    }
}

fn list(from: &mut impl Rows) -> Result<Vec<GuardRow>, StoreError> {
    let rows = from.rows(
        &sql!(
            "SELECT id, organization, name, source, definition, state, revision FROM guards
             WHERE state <> 'deleted' ORDER BY name"
        ),
        &[],
    )?;
    rows.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = r#"{"form":1,"hosts":[],"prefix":"/","upstream":"http://a/","schemes":[["basic",{}]],"networks":null,"methods":[],"ability":null,"pass_credential":false,"strip_prefix":false}"#;

    #[test]
    fn a_row_of_an_earlier_build_is_a_route_and_is_written_as_it_was() {
        let route = parse("one".into(), ROUTE).unwrap();
        assert_eq!(route.kind, Kind::Route);
        assert_eq!(write(&route).unwrap(), ROUTE);
    }

    #[test]
    fn what_a_guard_forwards_is_read_as_it_was_written() {
        let route = parse("one".into(), ROUTE).unwrap();
        let changes: [fn(&mut Definition); 5] = [
            |it| it.upstreams.clear(),
            |it| it.upstreams = ["https://a/", "h2c://b:1/c"].map(Uri::from_static).into(),
            |it| it.upgrades = vec!["websocket".into()],
            |it| it.identity = Preset::ALL.into(),
            |it| (it.identity, it.assertion) = (vec![], true),
        ];
        for change in changes {
            let mut changed = route.clone();
            change(&mut changed);
            assert_ne!(changed, route);
            assert_eq!(parse("one".into(), &write(&changed).unwrap()).unwrap(), changed);
        }
    }

    #[test]
    fn a_listener_is_read_as_it_was_written_and_never_taken_for_a_route() {
        let listener = Definition { kind: Kind::Listener, ..parse("one".into(), ROUTE).unwrap() };
        let written = write(&listener).unwrap();
        assert_eq!(written, ROUTE.replace("\"hosts\"", "\"listener\":true,\"hosts\""));
        assert_eq!(parse("one".into(), &written).unwrap(), listener);
    }
}
