"""Three members of PostgreSQL under Patroni, with etcd, HAProxy and two servers."""

import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
MEMBERS = ("m1", "m2", "m3")
SERVERS = ("s1", "s2")

# Patroni's minimum. A leader is not replaced until its last sign of life is this old.
LEADER_TTL_SECONDS = 20
# The longest wait for the whole cluster, at first and after a member has restarted.
WHOLE_SECONDS = 120
# The longest wait for the end of a killed process.
GONE_SECONDS = 10

PATRONI = """
scope: screenerd
name: {name}
restapi:
  listen: 127.0.0.1:{rest}
  connect_address: 127.0.0.1:{rest}
etcd3:
  hosts: 127.0.0.1:{etcd}
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters:
        max_connections: 50
        wal_keep_size: 512MB
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
    - data-checksums
postgresql:
  listen: 127.0.0.1:{postgres}
  connect_address: 127.0.0.1:{postgres}
  data_dir: {folder}/{name}
  bin_dir: {bin}
  pgpass: {folder}/{name}.pgpass
  parameters:
    unix_socket_directories: ""
  pg_hba:
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication all 127.0.0.1/32 scram-sha-256
  authentication:
    superuser:
      username: screenerd
      password: {password}
    replication:
      username: replicator
      password: {password}
"""

# docs/scale.md prints the same for separate machines.
HAPROXY = """
global
    maxconn 2000

defaults
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 1s

listen postgres
    mode tcp
    bind 127.0.0.1:{postgres}
    option httpchk GET /primary
    http-check expect status 200
    default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{members}

listen screenerd
    mode http
    bind 127.0.0.1:{http}
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter 500ms fall 2 rise 1 proto h2
{servers}
"""


def free_ports(count):
    """Returns free ports. They differ, because all are bound until the last is found."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [it.getsockname()[1] for it in sockets]
    for it in sockets:
        it.close()
    return ports


class Cluster:
    """The cluster, with each process under its name."""

    def __init__(self, binary, folder):
        # The user of the processes may lack access to the binary's folder.
        self.binary = shutil.copy(binary, folder / "screenerd")
        self.folder = folder
        self.password = secrets.token_hex(16)
        names = ["etcd", "etcd-peer", "postgres", "http", *MEMBERS, *SERVERS]
        names += [f"{name}-rest" for name in MEMBERS]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.running = {}
        # PostgreSQL refuses to run as root.
        self.user = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (folder, Path(self.binary)):
                os.chown(path, user.pw_uid, user.pw_gid)

    def database(self, port=None):
        port = port or self.ports["postgres"]
        return f"postgres://screenerd:{self.password}@127.0.0.1:{port}/postgres"

    def address(self):
        """Returns the address at which callers reach the servers."""
        return f"127.0.0.1:{self.ports['http']}"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])
        return str(path)

    def start(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.user,
            )

    def bring_up(self):
        etcd, peer = (f"http://127.0.0.1:{self.ports[it]}" for it in ("etcd", "etcd-peer"))
        self.start(
            "etcd", "etcd", f"--data-dir={self.folder}/etcd", f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}", f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        )
        for name in MEMBERS:
            config = PATRONI.format(
                name=name, rest=self.ports[f"{name}-rest"], etcd=self.ports["etcd"],
                ttl=LEADER_TTL_SECONDS, postgres=self.ports[name], folder=self.folder,
                bin=POSTGRES_BIN, password=self.password,
            )
            self.write(f"{name}.yml", config)
            self.start_member(name)
        member = "    server {0} 127.0.0.1:{1} port {2}".format
        server = "    server {0} 127.0.0.1:{1}".format
        config = HAPROXY.format(
            postgres=self.ports["postgres"], http=self.ports["http"],
            members="\n".join(
                member(it, self.ports[it], self.ports[f"{it}-rest"]) for it in MEMBERS
            ),
            servers="\n".join(server(it, self.ports[it]) for it in SERVERS),
        )
        self.start("haproxy", "/usr/sbin/haproxy", "-db", "-f", self.write("haproxy.cfg", config))
        self.wait_whole()

    def start_member(self, name):
        # Debian's python3 has the modules that Patroni requires. Others may lack them.
        self.start(name, "/usr/bin/python3", shutil.which("patroni"), f"{self.folder}/{name}.yml")

    def roles(self):
        """Returns the running members by role, as reported by any member."""
        for name in MEMBERS:
            try:
                url = f"http://127.0.0.1:{self.ports[f'{name}-rest']}/cluster"
                members = requests.get(url, timeout=2).json()["members"]
            except (requests.RequestException, ValueError, KeyError):
                continue
            roles = {}
            for member in members:
                if member["state"] in ("running", "streaming"):
                    roles.setdefault(member["role"], []).append(member["name"])
            return roles
        return {}

    def wait_whole(self):
        """Waits for a leader, a synchronous and a third member. Returns the leader's name."""
        deadline = time.monotonic() + WHOLE_SECONDS
        while time.monotonic() < deadline:
            self.check_running()
            roles = self.roles()
            is_whole = sum(map(len, roles.values())) == len(MEMBERS)
            if is_whole and "leader" in roles and "sync_standby" in roles:
                return roles["leader"][0]
            time.sleep(0.2)
        self.fail(f"the cluster was not whole after {WHOLE_SECONDS} s: {self.roles()}")

    def kill_member(self, name):
        """Kills Patroni and PostgreSQL of a member like a power failure. Awaits their end."""
        postmaster = int((self.folder / name / "postmaster.pid").read_text().split()[0])
        patroni = self.running.pop(name)
        patroni.kill()
        children = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[1]) == postmaster:
                    children.append(int(stat.parent.name))
            except OSError:
                continue
        for process in (postmaster, *children):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        patroni.wait()
        deadline = time.monotonic() + GONE_SECONDS
        while any(is_running(process) for process in (postmaster, *children)):
            if time.monotonic() > deadline:
                self.fail(f"{name} was killed and is still there")
            time.sleep(0.01)

    def start_servers(self):
        for name in SERVERS:
            self.start(
                name, self.binary, "serve", "--listen", f"127.0.0.1:{self.ports[name]}",
                "--database", self.database(), "--public-url", f"http://{self.address()}",
            )
        deadline = time.monotonic() + WHOLE_SECONDS
        for name in SERVERS:
            while True:
                self.check_running()
                try:
                    url = f"http://127.0.0.1:{self.ports[name]}/readyz"
                    if requests.get(url, timeout=2).status_code == 200:
                        break
                except requests.RequestException:
                    pass
                if time.monotonic() > deadline:
                    self.fail(f"{name} is not ready")
                time.sleep(0.1)
        # By then, HAProxy has checked the servers.
        while True:
            try:
                if requests.get(f"http://{self.address()}/readyz", timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                self.fail("HAProxy finds no server")
            time.sleep(0.1)

    def command(self, *arguments):
        """Runs a command of the server's binary on the cluster's database."""
        done = subprocess.run(
            [self.binary, *arguments, "--database", self.database()], cwd=self.folder,
            capture_output=True, text=True, timeout=60, **self.user,
        )
        if done.returncode != 0:
            self.fail(f"{arguments[0]} failed: {done.stderr}")

    def latency(self, statement):
        """Returns the average duration of a statement through HAProxy in milliseconds."""
        script = self.write("statement.sql", f"{statement};\n")
        command = ["pgbench", "--no-vacuum", "--protocol=prepared", "--client=1", "--time=2",
                   f"--file={script}", self.database()]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return float(re.search(r"latency average = ([\d.]+) ms", printed)[1])

    def check_running(self):
        for name, process in self.running.items():
            if process.poll() is not None:
                self.fail(f"{name} ended with {process.returncode}")

    def print_logs(self):
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            print(f"--- {path.name}", *lines[-40:], sep="\n", file=sys.stderr)

    def fail(self, why):
        self.print_logs()
        sys.exit(f"FAILED {why}")

    def tear_down(self):
        for name in MEMBERS:
            if name in self.running:
                try:
                    self.kill_member(name)
                except (OSError, ValueError, IndexError):
                    self.running[name].kill()
        for process in self.running.values():
            process.kill()
            process.wait()


def is_running(process):
    """Whether a process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def as_lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)
