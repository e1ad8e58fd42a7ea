//! What a guard and a listener can demand alike, on the command line.

use clap::Args;
use ipnet::IpNet;
use portcullis_core::ability::{Ability, BadAbility};
use portcullis_core::guard::Definition;
use portcullis_core::policy::parse_network;

#[derive(Args)]
pub(super) struct Demands {
    /// A network that callers must come from (CIDR); repeat for more
    #[arg(long = "network", value_parser = parse_network)]
    networks: Vec<IpNet>,
    /// Demand nothing but a network
    #[arg(long, requires = "networks", conflicts_with = "schemes")]
    network_only: bool,
    /// Demand a certificate of the client besides; see `tls.client_ca` of the configuration
    #[arg(long)]
    client_certificate: bool,
    /// The ability that callers must hold
    #[arg(long)]
    ability: Option<String>,
    /// Hand the credential to the upstream
    #[arg(long)]
    pass_credential: bool,
}

impl Demands {
    /// The schemes that are left of those that were named.
    pub(super) fn schemes(&self, named: Vec<String>) -> Vec<String> {
        if self.network_only { Vec::new() } else { named }
    }

    /// `definition` with them.
    pub(super) fn of(self, definition: Definition) -> Result<Definition, BadAbility> {
        Ok(Definition {
            networks: (!self.networks.is_empty()).then_some(self.networks),
            client_certificate: self.client_certificate,
            ability: self.ability.as_deref().map(Ability::parse).transpose()?,
            pass_credential: self.pass_credential,
            ..definition
        })
    }
}
