//! crun and runc, each with a network namespace of its own and a shell that starts containers on demand.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Which runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runtime {
    Crun,
    Runc,
}

impl Runtime {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crun => "crun",
            Self::Runc => "runc",
        }
    }
}

/// A runtime that is ready to start containers.
pub(crate) struct Peer {
    pub(crate) runtime: Runtime,
    pub(crate) times: Vec<Duration>,
    address: Ipv4Addr,
    namespace: String,
    bundle: PathBuf,
    started: usize,
    shell: Child,
    orders: ChildStdin,
}

impl Peer {
    /// Prepares everything that is not counted.
    pub(crate) fn new(runtime: Runtime, number: usize, folder: &Path, root: &Path) -> Result<Self, String> {
        let version = Command::new(runtime.name()).arg("--version").output();
        let Ok(version) = version else {
            return Err("it is not installed (benches/start/peers.sh)".to_owned());
        };
        let version = String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default().to_owned();
        let third = u8::try_from(number).map_err(|error| error.to_string())?;
        let (near, address) = (Ipv4Addr::new(10, 99, third, 1), Ipv4Addr::new(10, 99, third, 2));
        let namespace = format!("bench-{}-{}", runtime.name(), std::process::id());
        let begun = Instant::now();
        let script = format!(
            "set -e; ip netns add {namespace}; ip link add bench{number} type veth peer name eth0 netns {namespace}; \
             ip addr add {near}/30 dev bench{number}; ip link set bench{number} up; \
             ip -n {namespace} addr add {address}/30 dev eth0; ip -n {namespace} link set eth0 up; ip -n {namespace} link set lo up"
        );
        sh(&script)?;
        println!(
            "{version}: its network took {:.0} ms to make, not counted",
            begun.elapsed().as_secs_f64() * 1000.0
        );
        let bundle = folder.join(runtime.name());
        std::fs::create_dir(&bundle).map_err(|error| error.to_string())?;
        std::fs::write(bundle.join("config.json"), config(root, &namespace))
            .map_err(|error| error.to_string())?;
        // crun refuses a machine on which both versions of control groups are mounted; in a mount namespace of its own the
        // second can be taken away. The shell waits there, so that this is not counted.
        let prepare = match runtime {
            Runtime::Crun => "umount /sys/fs/cgroup/unified 2>/dev/null;",
            Runtime::Runc => "",
        };
        let name = runtime.name();
        let mut shell = Command::new("unshare")
            .args(["--mount", "sh", "-c"])
            .arg(format!(
                "{prepare} while read -r id; do {name} run -b {} \"$id\" </dev/null >/dev/null 2>>{} & done",
                bundle.display(),
                bundle.join("errors").display()
            ))
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let orders = shell.stdin.take().ok_or("no standard input")?;
        Ok(Self { runtime, times: Vec::new(), address, namespace, bundle, started: 0, shell, orders })
    }

    /// Start to first healthy answer.
    pub(crate) fn time(&mut self, healthy: impl Fn(Ipv4Addr) -> bool) -> Duration {
        self.started += 1;
        let id = format!("{}-{}", self.namespace, self.started);
        let begun = Instant::now();
        writeln!(self.orders, "{id}").expect("the shell listens");
        while !healthy(self.address) {
            if begun.elapsed() > Duration::from_secs(20) {
                let errors = std::fs::read_to_string(self.bundle.join("errors")).unwrap_or_default();
                panic!("{} never answered: {errors}", self.runtime.name());
            }
            crate::linux::pause();
        }
        let time = begun.elapsed();
        self.remove(&id);
        time
    }

    fn remove(&self, id: &str) {
        let prepare = match self.runtime {
            Runtime::Crun => "umount /sys/fs/cgroup/unified 2>/dev/null;",
            Runtime::Runc => "",
        };
        let name = self.runtime.name();
        let order = format!("{prepare} {name} delete --force {id}");
        // The `run` in the foreground removes the container as well, and one of the two comes too late and complains.
        drop(Command::new("unshare").args(["--mount", "sh", "-c", &order]).stderr(Stdio::null()).status());
        let state = Path::new("/run").join(name).join(id);
        let begun = Instant::now();
        while state.exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{name} removes {id}");
            crate::linux::pause();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // What is left goes away with the namespaces of this program; the name of the network does not.
        drop(self.shell.kill());
        drop(self.shell.wait());
        drop(sh(&format!("ip netns del {}", self.namespace)));
    }
}

fn sh(script: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", script]).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// What the sandbox gives a process, as far as a runtime can be told: user, namespaces, limits, the usual mounts.
fn config(root: &Path, namespace: &str) -> String {
    serde_json::json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 1000, "gid": 1000}, "args": ["/server"], "cwd": "/", "noNewPrivileges": true,
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
        "root": {"path": root, "readonly": false},
        "hostname": "localhost",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "resources": {"memory": {"limit": 8_u64 << 30}, "pids": {"limit": 4096}, "cpu": {"quota": 200_000, "period": 100_000}},
            "namespaces": [
                {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
                {"type": "network", "path": format!("/run/netns/{namespace}")},
            ],
        },
    })
    .to_string()
}
