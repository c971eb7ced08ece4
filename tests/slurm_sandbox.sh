#!/usr/bin/env bash
# A one-node Slurm on this machine, for the tests: no systemd, no cgroups.
#
#   tests/slurm_sandbox.sh up       install Debian's packages if need be, start the daemons, run a job
#   tests/slurm_sandbox.sh up-db    the same with accounts in a database, which is what sacct asks
#   tests/slurm_sandbox.sh down     stop what `up` started
#   tests/slurm_sandbox.sh restart-controller
#   tests/slurm_sandbox.sh lose-node     its daemon and jobs die, as if the power had gone; `up` brings it back
#
# Needs root. All but the packages and links in /etc/slurm lies in $SLURM_SANDBOX. The node
# pretends to 8 CPUs, 32 GB and 4 GPUs, so that what the profile asks for can be given. Between `up`
# and `up-db` one may go to and fro; jobs that run then are lost.
set -euo pipefail

dir=${SLURM_SANDBOX:-${TMPDIR:-/tmp}/slurm-sandbox}
host=$(hostname -s)
files=(slurm.conf gres.conf slurmdbd.conf)

install() { # packages, unless this command is there
  if command -v "$1" >/dev/null; then return; fi
  shift
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null
  apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >/dev/null
}

configure() { # lines that say where accounts are kept
  local file
  # A Slurm that is already here is somebody's cluster.
  for file in "${files[@]}"; do
    if [ -e "/etc/slurm/$file" ] && [ "$(readlink "/etc/slurm/$file")" != "$dir/$file" ]; then
      echo "$0: this machine has a Slurm of its own: /etc/slurm/$file" >&2
      exit 1
    fi
  done
  mkdir -p "$dir"/{state,spool,log,run}
  chmod 755 "$dir" "$dir/run"
  for file in nvidia0 nvidia1 nvidia2 nvidia3; do [ -e "$dir/$file" ] || mknod "$dir/$file" c 195 "${file#nvidia}"; done
  cat > "$dir/new.conf" <<CONF
ClusterName=sandbox
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# a requeued job starts again after these seconds, not after the default 120
AuthInfo=socket=$dir/run/munge.socket,cred_expire=15
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
# memory is looked at every second, and a job over its request is killed
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
# a finished job is known to squeue for MinJobAge seconds
MinJobAge=300
$1
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5,sched_min_interval=100000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# a job over its time limit goes at once
KillWait=2
OverTimeLimit=0
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu,shard,requeued,cancelled
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:4,shard:8,requeued:1,cancelled:1 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES PriorityTier=0 MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
PartitionName=gpu Nodes=$host PriorityTier=0 MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
# jobs of the partition urgent push aside others, if they want the same gres
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=requeued Nodes=$host PriorityTier=0 MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
PartitionName=cancelled Nodes=$host PriorityTier=0 PreemptMode=CANCEL MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
PartitionName=urgent Nodes=$host PriorityTier=1 MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
CONF
  if ! cmp -s "$dir/new.conf" "$dir/slurm.conf"; then stop slurmd; stop slurmctld; fi
  mv "$dir/new.conf" "$dir/slurm.conf"
  cat > "$dir/gres.conf" <<CONF
NodeName=$host Name=gpu File=$dir/nvidia[0-3]
# each GPU can be shared by two jobs
NodeName=$host Name=shard Count=8
NodeName=$host Name=requeued Count=1
NodeName=$host Name=cancelled Count=1
CONF
  # Not SLURM_CONF: Snakemake's job step drops it from a job's environment.
  for file in slurm.conf gres.conf; do ln -sfn "$dir/$file" "/etc/slurm/$file"; done
}

start_munge() {
  [ -s "$dir/munge.key" ] || dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 status=none
  chmod 400 "$dir/munge.key"
  alive "$dir/run/munged.pid" ||
    munged --force --key-file="$dir/munge.key" --socket="$dir/run/munge.socket" \
      --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" --seed-file="$dir/run/munged.seed"
}

# A MariaDB of its own, without a network port, and Slurm's daemon before it.
start_database() {
  local socket=$dir/run/mariadb.sock
  mkdir -p "$dir/db"
  chown mysql "$dir/db"
  chmod 1777 "$dir/run"
  [ -d "$dir/db/mysql" ] ||
    mariadb-install-db --user=mysql --datadir="$dir/db" --auth-root-authentication-method=normal \
      --skip-test-db > "$dir/log/mariadb.log" 2>&1
  # `alive || mariadbd &` would leave a shell that holds the caller's pipes open
  if ! alive "$dir/run/mariadb.pid"; then
    setsid mariadbd --no-defaults --user=mysql --datadir="$dir/db" --socket="$socket" --skip-networking \
      --pid-file="$dir/run/mariadb.pid" --innodb-lock-wait-timeout=900 >> "$dir/log/mariadb.log" 2>&1 < /dev/null &
  fi
  answers mariadb --no-defaults -uroot -S "$socket" -e 'create database if not exists slurm_acct_db'
  cat > "$dir/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.socket
DbdHost=localhost
DbdPort=16819
SlurmUser=root
PidFile=$dir/run/slurmdbd.pid
LogFile=$dir/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
CONF
  chmod 600 "$dir/slurmdbd.conf"
  ln -sfn "$dir/slurmdbd.conf" /etc/slurm/slurmdbd.conf
  alive "$dir/run/slurmdbd.pid" || MYSQL_UNIX_PORT=$socket slurmdbd
  answers bash -c ': < /dev/tcp/127.0.0.1/16819'
}

answers() { # within half a minute
  for _ in $(seq 60); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  "$@"
}

# a process that was killed, and that nobody has waited for, is not
alive() { [ -s "$1" ] && ps -o stat= -p "$(cat "$1")" | grep -qv Z; }

start() {
  alive "$dir/run/slurmctld.pid" || slurmctld -c
  alive "$dir/run/slurmd.pid" || slurmd -N "$host"
  for _ in $(seq 60); do
    if [ "$(sinfo -h -n "$host" -p cpu -o %T 2>/dev/null)" = idle ]; then break; fi
    sleep 0.5
  done
  timeout 30 srun -p gpu -n1 -t 1 --mem=50 --gpus=1 true
}

family() { # a process and all below it
  local child
  for child in $(pgrep -P "$1"); do family "$child"; done
  echo "$1"
}

lose_node() {
  local pid
  for pid in $(cat "$dir/run/slurmd.pid") $(pgrep -x slurmstepd); do family "$pid"; done | xargs -r kill -KILL 2>/dev/null || true
  # the controller would notice by itself after SlurmdTimeout, five minutes; its client waits for the dead node
  timeout 20 scontrol update "NodeName=$host" State=DOWN Reason=lost || true
}

stop() { # one daemon
  local pid
  alive "$dir/run/$1.pid" || return 0
  pid=$(cat "$dir/run/$1.pid")
  kill "$pid"
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.2; done
  kill -KILL "$pid"
}

mkdir -p "$dir/run"
case "${1:-}" in
  up)
    install pgrep procps
    install slurmctld munge slurmctld slurmd slurm-client
    configure AccountingStorageType=accounting_storage/none
    start_munge
    start
    ;;
  up-db)
    install pgrep procps
    install slurmctld munge slurmctld slurmd slurm-client
    install slurmdbd slurmdbd mariadb-server
    configure "AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=16819
AccountingStoragePass=$dir/run/munge.socket"
    start_munge
    start_database
    start
    ;;
  down)
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for daemon in slurmd slurmctld slurmdbd mariadb munged; do stop $daemon; done
    for file in "${files[@]}"; do
      [ "$(readlink "/etc/slurm/$file")" != "$dir/$file" ] || rm "/etc/slurm/$file"
    done
    ;;
  restart-controller) stop slurmctld; slurmctld ;;
  lose-node) lose_node ;;
  *) sed -n '2,12p' "$0"; exit 2 ;;
esac
