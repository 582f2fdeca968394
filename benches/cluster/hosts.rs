//! Hosts for the scenarios in which a host is cut off: each is a network namespace, with a cable to one switch.
//!
//! Owns the namespaces, which end with the bench, and what the switch drops. It starts nothing and measures
//! nothing.

use std::process::Command;

use super::shell::Shell;

/// Some hosts on one switch.
#[derive(Debug)]
pub struct Hosts {
    shell: Shell,
    program: String,
}

impl Hosts {
    /// So many hosts, on which `program` can be started. None, after saying why, if this machine does not
    /// allow it.
    pub fn new(program: &str, count: usize) -> Option<Hosts> {
        let shell = Shell::new()?;
        let hosts = Hosts {
            shell,
            program: program.to_string(),
        };
        let made = hosts.shell.try_run(
            "ip link add switch type bridge mcast_snooping 0
             ip link set switch addrgenmode none
             ip link set switch up",
        );
        let made = made.and_then(|_| (0..count).try_for_each(|host| hosts.add(host)));
        if let Err(e) = &made {
            super::tell(&format!("SKIPPED: no hosts: {}", e.trim()));
        }
        made.is_ok().then_some(hosts)
    }

    fn add(&self, host: usize) -> Result<(), String> {
        let n = host + 1;
        let script = format!(
            "ip netns add h{host}
             ip -n h{host} link set lo up
             ip link add p-h{host} type veth peer name eth0 netns h{host}
             ip link set p-h{host} addrgenmode none
             ip link set p-h{host} master switch up
             ip -n h{host} link set eth0 addrgenmode none
             ip -n h{host} link set eth0 up
             ip -n h{host} addr add 10.7.1.{n}/24 dev eth0"
        );
        self.shell.try_run(&script).map(|_| ())
    }

    /// The program, on this host.
    pub fn command(&self, host: usize) -> Command {
        self.shell.command_in(&format!("h{host}"), &self.program)
    }

    /// From now on nothing gets to this host or away from it, and no other host is told; or everything does.
    pub fn cut_off(&self, host: usize, is_cut: bool) -> Result<(), String> {
        let state = if is_cut { "down" } else { "up" };
        let script = format!("ip link set p-h{host} {state}");
        self.shell.try_run(&script).map(|_| ())
    }

    /// The switch loses this share of all datagrams, in percent.
    pub fn lose_datagrams(&self, percent: u32) -> Result<(), String> {
        let script = format!(
            "nft 'table bridge losses {{
                 chain forward {{
                     type filter hook forward priority 0
                     meta l4proto udp numgen random mod 100 < {percent} drop
                 }}
             }}'"
        );
        self.shell.try_run(&script).map(|_| ())
    }

    /// The switch passes nothing of any stream to this host or from it for so many milliseconds.
    pub fn stall_streams(&self, host: usize, millis: u32) -> Result<(), String> {
        let seconds = f64::from(millis) / 1_000.0;
        let script = format!(
            "nft 'table bridge stall {{
                 chain forward {{
                     type filter hook forward priority 0
                     meta l4proto tcp iifname p-h{host} drop
                     meta l4proto tcp oifname p-h{host} drop
                 }}
             }}'
             sleep {seconds}
             nft 'delete table bridge stall'"
        );
        self.shell.try_run(&script).map(|_| ())
    }
}
