//! Builds a plan in network namespaces and runs connections in it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::traffic::Job;
use crate::world::{HOSTS, NAT, OUTSIDE, Plan, SUBNETS};

/// Namespaces and servers of one world; gone when it is dropped.
pub struct Lab {
    prefix: String,
    names: Vec<String>,
    servers: Vec<Child>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

/// Runs `ip -batch` with the lines, in a namespace when one is given.
fn ip_batch(namespace: Option<&str>, lines: &str) {
    let mut command = Command::new("ip");
    if let Some(name) = namespace {
        command.args(["-n", name]);
    }
    feed(command.args(["-batch", "-"]), lines);
}

fn feed(command: &mut Command, lines: &str) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}\n{lines}");
}

impl Lab {
    pub fn build(plan: &Plan) -> Self {
        let prefix = format!("lp{}", std::process::id());
        let mut lab = Self { prefix, names: Vec::new(), servers: Vec::new() };
        let router = lab.namespace("r");
        let nat = lab.namespace("nat");
        let outside = lab.namespace("out");
        let mut bridges = String::from("link set lo up\n");
        for subnet in SUBNETS {
            let _ = writeln!(
                bridges,
                "link add br{subnet} type bridge\naddr add 10.0.{subnet}.1/24 dev br{subnet}\nlink set br{subnet} up"
            );
        }
        ip_batch(Some(&router), &bridges);
        for (host, subnet, octet) in HOSTS {
            let name = lab.namespace(host);
            attach(&router, &name, host, *subnet, &format!("10.0.{subnet}.{octet}"));
        }
        attach(&router, &nat, "nat", 9, NAT);
        ip_batch(
            Some(&router),
            &format!(
                "link add igw type veth peer name eth0 netns {outside}\naddr add 100.64.0.1/30 dev igw\nlink set igw up\n"
            ),
        );
        let mut far = String::from("link set lo up\naddr add 100.64.0.2/30 dev eth0\nlink set eth0 up\n");
        for address in OUTSIDE {
            let _ = writeln!(far, "addr add {address}/32 dev lo");
        }
        far.push_str("route add 10.0.0.0/16 via 100.64.0.1\n");
        ip_batch(Some(&outside), &far);
        for name in [&router, &nat] {
            let settings = "net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0";
            let known = settings.split(' ').filter(|s| !(s.contains("eth0") && *name == router));
            let status = Command::new("ip")
                .args(["netns", "exec", name, "sysctl", "-q", "-w"])
                .args(known)
                .status()
                .unwrap();
            assert!(status.success());
        }
        ip_batch(Some(&router), &route_tables(plan));
        nft(&router, &acl_rules(plan));
        nft(&nat, "table ip nat { chain post { type nat hook postrouting priority 100; masquerade; }; }\n");
        for (position, (host, ..)) in HOSTS.iter().enumerate() {
            nft(&format!("{}{host}", lab.prefix), &group_rules(plan, position));
        }
        let hosts: Vec<String> = HOSTS.iter().map(|(host, ..)| format!("{}{host}", lab.prefix)).collect();
        for name in hosts.iter().chain([&outside]) {
            lab.serve(name);
        }
        lab
    }

    fn namespace(&mut self, suffix: &str) -> String {
        let name = format!("{}{suffix}", self.prefix);
        let status = Command::new("ip").args(["netns", "add", &name]).status().unwrap();
        assert!(status.success(), "namespace {name}");
        self.names.push(name.clone());
        name
    }

    fn serve(&mut self, namespace: &str) {
        let mut server = itself(namespace).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        self.servers.push(server);
    }

    /// Whether each connection gets through.
    pub fn run(&self, jobs: &[Job]) -> Vec<bool> {
        let mut results = vec![false; jobs.len()];
        let by_host: Vec<Vec<(usize, bool)>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                HOSTS.iter().map(|(host, ..)| scope.spawn(|| self.run_from(host, jobs))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (at, got_through) in by_host.into_iter().flatten() {
            results[at] = got_through;
        }
        results
    }

    /// The connections of one host, in waves: a source port serves one connection at a time.
    fn run_from(&self, host: &str, jobs: &[Job]) -> Vec<(usize, bool)> {
        let mut waiting: Vec<(usize, &Job)> =
            jobs.iter().enumerate().filter(|(_, job)| job.host == host).collect();
        let mut results = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let mut wave: Vec<(usize, &Job)> = Vec::new();
            let mut later = Vec::new();
            for (at, job) in waiting {
                let taken = wave.iter().any(|(_, other)| other.source_port == job.source_port);
                if taken { &mut later } else { &mut wave }.push((at, job));
            }
            results.extend(self.connect(host, &wave));
            waiting = later;
        }
        results
    }

    fn connect(&self, host: &str, jobs: &[(usize, &Job)]) -> Vec<(usize, bool)> {
        let mut command = itself(&format!("{}{host}", self.prefix));
        command.arg("connect");
        for (_, job) in jobs {
            command.arg(format!("{},{},{}", job.source_port, job.address, job.port));
        }
        let output = command.output().unwrap();
        let digits = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digits.trim().len(), jobs.len(), "{}", String::from_utf8_lossy(&output.stderr));
        jobs.iter().zip(digits.trim().chars()).map(|((at, _), digit)| (*at, digit == '1')).collect()
    }
}

/// This program inside a namespace.
fn itself(namespace: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(std::env::current_exe().unwrap());
    command
}

fn attach(router: &str, name: &str, host: &str, subnet: u8, address: &str) {
    ip_batch(
        Some(router),
        &format!(
            "link add v{host} type veth peer name eth0 netns {name}\nlink set v{host} master br{subnet}\nlink set v{host} up\n"
        ),
    );
    ip_batch(
        Some(name),
        &format!(
            "link set lo up\naddr add {address}/24 dev eth0\nlink set eth0 up\nroute add default via 10.0.{subnet}.1\n"
        ),
    );
}

fn route_tables(plan: &Plan) -> String {
    let mut lines = String::new();
    for (subnet, routes) in &plan.routes {
        let table = 100 + u32::from(*subnet);
        let _ = writeln!(lines, "rule add iif br{subnet} lookup {table}");
        for other in SUBNETS {
            let _ = writeln!(lines, "route add 10.0.{other}.0/24 dev br{other} table {table}");
        }
        for (block, target) in routes {
            let _ = match *target {
                "igw" => writeln!(lines, "route add {block} via 100.64.0.2 dev igw table {table}"),
                "nat" => writeln!(lines, "route add {block} via {NAT} dev br9 table {table}"),
                _ => writeln!(lines, "route add blackhole {block} table {table}"),
            };
        }
    }
    lines
}

fn nft(namespace: &str, rules: &str) {
    feed(Command::new("ip").args(["netns", "exec", namespace, "nft", "-f", "-"]), rules);
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap()
}

/// ACLs of all subnets in the router: no connection tracking, first match decides.
fn acl_rules(plan: &Plan) -> String {
    let mut all = String::from("table ip acl {\n");
    for (subnet, entries) in &plan.acls {
        for (chain, egress, side) in [("out", true, "daddr"), ("in", false, "saddr")] {
            let _ = writeln!(all, "chain {chain}{subnet} {{");
            let mut own: Vec<&Value> = entries.iter().filter(|entry| entry["Egress"] == egress).collect();
            own.sort_by_key(|entry| entry["RuleNumber"].as_i64());
            for entry in own {
                let verdict = if text(entry, "RuleAction") == "allow" { "return" } else { "drop" };
                let ports = match entry.get("PortRange") {
                    Some(range) => format!("tcp dport {}-{}", range["From"], range["To"]),
                    None => String::new(),
                };
                let _ = writeln!(all, "ip {side} {} {ports} {verdict}", text(entry, "CidrBlock"));
            }
            all.push_str("drop\n}\n");
        }
    }
    all.push_str("chain forward { type filter hook forward priority 0; policy accept;\n");
    for subnet in SUBNETS {
        let _ = writeln!(all, "iifname br{subnet} oifname != br{subnet} jump out{subnet}");
    }
    for subnet in SUBNETS {
        let _ = writeln!(all, "oifname br{subnet} iifname != br{subnet} jump in{subnet}");
    }
    // An internet gateway translates addresses that have a public one: here the NAT gateway's alone.
    let _ = writeln!(all, "oifname igw ip saddr != {NAT} drop\n}}\n}}");
    all
}

/// The groups of one host: connection tracking, allow rules, drop the rest.
fn group_rules(plan: &Plan, position: usize) -> String {
    let mut all = String::from("table inet sg {\n");
    for (chain, hook, member, side) in
        [("in", "input", "IpPermissions", "saddr"), ("out", "output", "IpPermissionsEgress", "daddr")]
    {
        let _ = writeln!(all, "chain {chain} {{ type filter hook {hook} priority 0; policy drop;");
        all.push_str("ct state established,related accept\nct state invalid drop\n");
        let own = plan.groups.iter().filter(|group| plan.members[position].contains(&text(group, "GroupId")));
        for rule in own.flat_map(|group| group[member].as_array().unwrap()) {
            let service = match text(rule, "IpProtocol") {
                "tcp" => format!("tcp dport {}-{}", rule["FromPort"], rule["ToPort"]),
                _ => String::new(),
            };
            for range in rule["IpRanges"].as_array().into_iter().flatten() {
                let _ = writeln!(all, "ip {side} {} {service} accept", text(range, "CidrIp"));
            }
            for pair in rule["UserIdGroupPairs"].as_array().into_iter().flatten() {
                let wanted = text(pair, "GroupId");
                for ((_, subnet, octet), groups) in HOSTS.iter().zip(&plan.members) {
                    if groups.contains(&wanted) {
                        let _ = writeln!(all, "ip {side} 10.0.{subnet}.{octet} {service} accept");
                    }
                }
            }
        }
        all.push_str("}\n");
    }
    all.push_str("}\n");
    all
}
