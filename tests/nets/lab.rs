//! A network of hosts: each has a network namespace, veth pairs are the cables, bridges the switches.

use std::cell::Cell;
use std::process::Command;
use std::sync::Arc;

use crate::harness::{Inbox, Launch, Node, Permit, alone, shared};
use crate::shell::{NO_SKIP, Shell};

const PAPO: &str = env!("CARGO_BIN_EXE_papo");

/// One test's network. Nothing in it has a connection to the outside.
#[derive(Debug)]
pub struct Lab {
    // Namespaces end before the permit does.
    shell: Shell,
    inbox: Arc<Inbox>,
    counter: Cell<u8>,
    _permit: Permit,
}

impl Lab {
    /// None, after saying why, if this machine does not allow it.
    pub fn new() -> Option<Lab> {
        Lab::with(shared())
    }

    /// The same for a test that measures time.
    pub fn alone() -> Option<Lab> {
        Lab::with(alone())
    }

    fn with(permit: Permit) -> Option<Lab> {
        Some(Lab {
            shell: Shell::new()?,
            inbox: Inbox::new(),
            counter: Cell::new(0),
            _permit: permit,
        })
    }

    /// A number that no other thing of this lab has.
    fn number(&self) -> u8 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }

    pub fn switch(&self, name: &str) -> Switch {
        let bridge = format!("sw-{name}");
        self.shell.run(&format!(
            "ip link add {bridge} type bridge mcast_snooping 0
             ip link set {bridge} addrgenmode none
             ip link set {bridge} up"
        ));
        Switch { bridge }
    }

    /// Connects two switches.
    pub fn cable(&self, a: &Switch, b: &Switch) -> Cable<'_> {
        let end = format!("cable{}", self.number());
        self.shell.run(&format!(
            "ip link add {end} type veth peer name {end}b
             ip link set {end} addrgenmode none
             ip link set {end}b addrgenmode none
             ip link set {end} master {} up
             ip link set {end}b master {} up",
            a.bridge, b.bridge
        ));
        Cable { lab: self, end }
    }

    /// A host without a network.
    pub fn lonely_host(&self, name: &str) -> Host<'_> {
        self.shell.run(&format!(
            "ip netns add {name}
             ip -n {name} link set lo up"
        ));
        Host {
            lab: self,
            name: name.to_owned(),
        }
    }

    /// A host with one network interface.
    pub fn host(&self, name: &str, at: &Switch, addresses: &[&str]) -> Host<'_> {
        let host = self.lonely_host(name);
        host.connect(at, addresses);
        host
    }

    /// A host with the addresses 10.7.1.N and fe80::N.
    pub fn usual_host(&self, name: &str, at: &Switch, n: u8) -> Host<'_> {
        let v4 = format!("10.7.1.{n}/24");
        let v6 = format!("fe80::{n}/64");
        self.host(name, at, &[&v4, &v6])
    }

    /// Usual hosts with these names, numbered from 1.
    pub fn usual_hosts<const N: usize>(&self, at: &Switch, names: [&str; N]) -> [Host<'_>; N] {
        let mut n = 0;
        names.map(|name| {
            n += 1;
            self.usual_host(name, at, n)
        })
    }

    /// A host that passes packets on between two IPv4 subnets, but no multicast. None, after
    /// saying why, if that cannot be switched on.
    pub fn router(&self, name: &str, ports: [(&Switch, &str); 2]) -> Option<Host<'_>> {
        let host = self.lonely_host(name);
        let on = host.try_run("echo 1 > /proc/sys/net/ipv4/ip_forward");
        if let Err(e) = on {
            crate::tell(&format!("SKIPPED: no routing: {}", e.trim()));
            return None;
        }
        for (switch, address) in ports {
            host.connect(switch, &[address]);
        }
        Some(host)
    }

    /// Gives all hosts files of their own that say what names there are: those of `hosts`, and whatever
    /// this name server knows. False, after saying why, if that cannot be done here.
    pub fn take_names_from(&self, hosts: &str, server: &str) -> bool {
        let done = self.shell.try_run(&format!(
            "echo '{hosts}' > /run/hosts
             echo 'nameserver {server}' > /run/resolv.conf
             echo 'hosts: files dns' > /run/nsswitch.conf
             for file in hosts resolv.conf nsswitch.conf; do
                 mount --bind /run/$file /etc/$file
             done"
        ));
        if let Err(e) = &done {
            assert!(
                std::env::var_os(NO_SKIP).is_none(),
                "no names of its own: {e}"
            );
            crate::tell(&format!("SKIPPED: no names of its own: {}", e.trim()));
        }
        done.is_ok()
    }

    /// Changes what [`Lab::take_names_from`] said of hosts.
    pub fn set_hosts(&self, hosts: &str) {
        self.shell.run(&format!("echo '{hosts}' > /run/hosts"));
    }

    /// What all switches drop: nft rules, one a line, that see the switch's port towards a host as
    /// `p-HOST`.
    pub fn switches_drop(&self, rules: &[&str]) {
        let rules: String = rules.iter().map(|r| format!("{r} drop\n")).collect();
        self.shell.run(&format!(
            "nft 'table bridge papo {{
                 chain forward {{
                     type filter hook forward priority 0
                     {rules}
                 }}
             }}'"
        ));
    }
}

/// A switch.
#[derive(Debug)]
pub struct Switch {
    bridge: String,
}

/// A cable between two switches.
#[derive(Debug)]
pub struct Cable<'lab> {
    lab: &'lab Lab,
    end: String,
}

impl Cable<'_> {
    pub fn pull(&self) {
        self.lab
            .shell
            .run(&format!("ip link set {} down", self.end));
    }

    pub fn plug_in(&self) {
        self.lab.shell.run(&format!("ip link set {} up", self.end));
    }
}

impl Cable<'_> {
    /// Nothing gets through, but both ends believe that it is plugged in. (After a real pull the
    /// kernel takes up to a second before it sends again.)
    pub fn break_contact(&self) {
        self.set_port(0);
    }

    pub fn restore_contact(&self) {
        self.set_port(3);
    }

    /// The state of the switch's port, as the spanning tree protocol numbers them.
    fn set_port(&self, state: u8) {
        let end = &self.end;
        let script = format!("ip link set {end} type bridge_slave state {state}");
        self.lab.shell.run(&script);
    }
}

/// A host. Its interfaces are eth0, eth1 ...
#[derive(Debug)]
pub struct Host<'lab> {
    lab: &'lab Lab,
    pub name: String,
}

impl<'lab> Host<'lab> {
    /// One more interface, its cable in that switch.
    pub fn connect(&self, at: &Switch, addresses: &[&str]) -> Cable<'lab> {
        let (name, bridge) = (&self.name, &at.bridge);
        let present = self.run("ip -brief link show type veth");
        let nth = present.lines().count();
        let port = match nth {
            0 => format!("p-{name}"),
            n => format!("p-{name}-{n}"),
        };
        self.lab.shell.run(&format!(
            "ip link add {port} type veth peer name eth{nth} netns {name}
             ip link set {port} addrgenmode none
             ip link set {port} master {bridge} up
             ip -n {name} link set eth{nth} addrgenmode none address 02:00:00:00:00:{:02x}
             ip -n {name} link set eth{nth} up",
            self.lab.number(),
        ));
        for address in addresses {
            self.add_address(&format!("eth{nth}"), address);
        }
        Cable {
            lab: self.lab,
            end: port,
        }
    }

    /// The cable of its first interface.
    pub fn first_cable(&self) -> Cable<'lab> {
        Cable {
            lab: self.lab,
            end: format!("p-{}", self.name),
        }
    }

    pub fn add_address(&self, interface: &str, address: &str) {
        // No waiting for somebody else who might have the same address.
        let nodad = if address.contains("::") { "nodad" } else { "" };
        self.run(&format!("ip addr add {address} dev {interface} {nodad}"));
    }

    pub fn remove_address(&self, interface: &str, address: &str) {
        self.run(&format!("ip addr del {address} dev {interface}"));
    }

    /// nft rules, one a line, for what comes in over the network: what they match is dropped.
    pub fn drops(&self, rules: &[&str]) {
        let rules: String = (rules.iter())
            .map(|r| format!("iifname != \"lo\" {r} drop\n"))
            .collect();
        self.run(&format!(
            "nft 'table inet papo {{
                 chain input {{
                     type filter hook input priority 0
                     {rules}
                 }}
             }}'"
        ));
    }

    /// Nothing is dropped any more.
    pub fn drops_nothing(&self) {
        self.run("nft 'delete table inet papo'");
    }

    /// The hardware address of an interface.
    pub fn mac(&self, interface: &str) -> String {
        let line = self.run(&format!("ip -brief link show dev {interface}"));
        let mac = line.split_whitespace().find(|word| word.contains(':'));
        mac.expect("every interface has one").to_owned()
    }

    /// Runs a script on this host.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        match self.try_run(script) {
            Ok(output) => output,
            Err(e) => panic!("{}: {script}\n{e}", self.name),
        }
    }

    fn try_run(&self, script: &str) -> Result<String, String> {
        let name = &self.name;
        let command = format!("nsenter --net=/run/netns/{name} sh -e <<'EOF'\n{script}\nEOF");
        self.lab.shell.try_run(&command)
    }

    /// Starts a node, named like the host, that prints events, obeys commands and stays.
    pub fn join(&self) -> Node {
        self.join_with(&[])
    }

    pub fn join_with(&self, options: &[&str]) -> Node {
        self.join_as(&self.name, options)
    }

    pub fn join_as(&self, nick: &str, options: &[&str]) -> Node {
        let mut args = vec!["--json", "--commands", "--stay", "--nick", nick];
        if std::env::var_os("PAPO_TEST_VERBOSE").is_some() {
            args.push("-vv");
        }
        args.extend_from_slice(options);
        Launch::new(&self.lab.inbox, nick, self.papo(&args))
            .events()
            .start()
    }

    /// Starts any command of papo.
    pub fn start(&self, name: &str, args: &[&str]) -> Node {
        Launch::new(&self.lab.inbox, name, self.papo(args)).start()
    }

    /// Starts any other program.
    pub fn start_program(&self, name: &str, program: &str, args: &[&str]) -> Node {
        let mut command = self.command(program);
        command.args(args);
        Launch::new(&self.lab.inbox, name, command).start()
    }

    /// A program on this host, not yet started.
    pub fn command(&self, program: &str) -> Command {
        self.lab.shell.command_in(&self.name, program)
    }

    fn papo(&self, args: &[&str]) -> Command {
        let mut command = self.command(PAPO);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PAPO_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.args(args);
        command
    }
}

/// A node on each of these hosts, each of which has joined before the next one starts.
pub fn join_one_by_one<const N: usize>(hosts: &[Host<'_>; N]) -> [Node; N] {
    hosts.each_ref().map(|host| {
        let node = host.join();
        node.joined();
        node
    })
}
