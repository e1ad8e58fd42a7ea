//! The guards and mounts of the configuration file, as the core defines them.

use std::sync::Arc;

use anyhow::Context as _;
use portcullis_core::ability::Ability;
use portcullis_core::guard::{Definition, GuardTable, Kind, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::mount::{self, Mount};
use portcullis_core::scheme::SchemeName;

use super::{listeners, place};
use crate::actions::Actions;
use crate::actions::guards::FileGuard;
use crate::actions::mounts::FileMount;
use crate::config::{GuardSettings, Mistake, Mistakes, MountSettings};
use crate::serve::spoken;

/// The number of the root organization.
const ROOT: u32 = 1;

/// Whether every guard and mount can be built, and all stand side by side.
pub(super) fn check(guards: &[GuardSettings], mounts: &[MountSettings]) -> Result<(), Mistakes> {
    let (mut mistakes, mut table) = (Mistakes::default(), GuardTable::default());
    let mut standing_guards = Vec::new();
    for (number, (settings, place)) in (1_u128..).zip(guards.iter().map(|it| (it, &it.place))) {
        let key = format!("{} `{}`", kind(settings).word(), settings.name);
        let standing = Standing {
            id: Id::from_bytes(number.to_be_bytes()),
            version: Revision(0),
            source: Source::File,
            organization: Id::from_bytes([0; 16]),
            realm: Id::from_bytes([0; 16]),
        };
        match definition(settings).and_then(|it| it.build(standing).map_err(|bad| bad.to_string()))
        {
            Ok(guard) => {
                let guard = Arc::new(guard);
                if let Err(overlap) = table.insert(&guard) {
                    mistakes.push(Mistake::at(place, key, overlap.to_string()));
                }
                standing_guards.push(guard);
            }
            Err(bad) => mistakes.push(Mistake::at(place, key, bad)),
        }
    }
    let mut standing: Vec<Mount> = Vec::new();
    for settings in mounts {
        let key = format!("mount `{}`", settings.name);
        let built = self::mount(settings).and_then(|definition| {
            let stamp = (Id::from_bytes([0; 16]), Revision(0));
            let realm = Id::from_bytes([0; 16]);
            definition.build(stamp, Source::File, realm).map_err(|bad| bad.to_string())
        });
        let fits = built.and_then(|built| {
            standing.push(built);
            let fits = mount::fit(&standing, &standing_guards, spoken::paths);
            fits.map_err(|bad| bad.to_string())
        });
        if let Err(bad) = fits {
            mistakes.push(Mistake::at(&settings.place, key, bad));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Every mount as it is to stand, with the realm whose objects are seen there.
pub(super) async fn mounted(
    actions: &Actions,
    mounts: &[MountSettings],
) -> anyhow::Result<Vec<FileMount>> {
    let mut standing = Vec::new();
    for settings in mounts {
        let number = settings.organization.map_or(1, i64::from);
        let told = || format!("{}: `organization` of mount `{}`", settings.place, settings.name);
        let organization = place::find(actions, number).await.with_context(told)?;
        anyhow::ensure!(organization.realm, "{}: it is no realm", told());
        standing.push((organization.id, self::mount(settings).map_err(anyhow::Error::msg)?));
    }
    Ok(standing)
}

fn mount(settings: &MountSettings) -> Result<mount::Definition, String> {
    let options = settings.options.clone();
    spoken::check(&settings.dialect, &options)?;
    Ok(mount::Definition {
        name: settings.name.clone(),
        dialect: settings.dialect.clone(),
        hosts: settings.hosts.clone(),
        prefix: settings.path.clone(),
        options,
    })
}

/// Every guard as it is to stand, with the organization it belongs to.
pub(super) async fn stand(
    actions: &Actions,
    guards: &[GuardSettings],
) -> anyhow::Result<Vec<FileGuard>> {
    let mut standing = Vec::new();
    for settings in guards {
        let number = settings.organization.map_or(1, i64::from);
        let organization = place::find(actions, number).await.with_context(|| {
            let word = kind(settings).word();
            format!("{}: `organization` of {word} `{}`", settings.place, settings.name)
        })?;
        let definition = definition(settings).map_err(anyhow::Error::msg)?;
        standing.push((organization.id, definition));
    }
    Ok(standing)
}

/// The listeners of a file to which none of its mounts leads, as far as that can be told: a mount
/// of another organization may be that of the listener's realm.
pub(super) fn unmounted<'g>(guards: &'g [GuardSettings], mounts: &[MountSettings]) -> Vec<&'g str> {
    let leading = mounts.iter().filter(|mount| mount.dialect == spoken::LISTENERS);
    let realms: Vec<_> = leading.map(|mount| mount.organization.unwrap_or(ROOT)).collect();
    let listeners = guards.iter().filter(|it| it.listener.is_some());
    let nowhere = listeners.filter(|it| match it.organization.unwrap_or(ROOT) {
        ROOT => !realms.contains(&ROOT),
        _ => realms.is_empty(),
    });
    nowhere.map(|it| it.name.as_str()).collect()
}

const fn kind(settings: &GuardSettings) -> Kind {
    if settings.listener.is_some() { Kind::Listener } else { Kind::Route }
}

fn definition(settings: &GuardSettings) -> Result<Definition, String> {
    let scheme = |(name, options): &(String, _)| {
        let found = SchemeName::named(name).ok_or(format!("there is no scheme `{name}`"))?;
        Ok::<_, String>((found, Clone::clone(options)))
    };
    let mut schemes = settings.schemes.iter().map(scheme).collect::<Result<Vec<_>, _>>()?;
    if let Some(own) = &settings.listener {
        listeners::set_options(&mut schemes, own)?;
    }
    let ability = settings.ability.as_deref().map(Ability::parse).transpose();
    Ok(Definition {
        kind: kind(settings),
        name: settings.name.clone(),
        hosts: settings.hosts.clone(),
        prefix: settings.path.clone(),
        upstreams: settings.upstreams.clone(),
        schemes,
        networks: settings.networks.clone(),
        client_certificate: settings.client_certificate,
        methods: settings.methods.clone(),
        ability: ability.map_err(|bad| bad.to_string())?,
        upgrades: settings.upgrades.clone(),
        identity: settings.identity.clone(),
        assertion: settings.assertion,
        pass_credential: settings.pass_credential,
        strip_prefix: settings.strip_path,
    })
}
