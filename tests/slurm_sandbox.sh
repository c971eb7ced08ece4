#!/usr/bin/env bash
# A one-node Slurm on this machine, for the tests: no systemd, no cgroups, no accounting database.
#
#   tests/slurm_sandbox.sh up       install Debian's packages if need be, start the daemons, run a job
#   tests/slurm_sandbox.sh down     stop what `up` started
#   tests/slurm_sandbox.sh restart-controller
#
# Needs root. All but the packages and two links in /etc/slurm lies in $SLURM_SANDBOX. The node
# pretends to 8 CPUs, 32 GB and 4 GPUs, so that what the profile asks for can be given.
set -euo pipefail

dir=${SLURM_SANDBOX:-${TMPDIR:-/tmp}/slurm-sandbox}
host=$(hostname -s)

install() {
  if command -v slurmctld slurmd sbatch munged >/dev/null; then return; fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  apt-get install -qq -y --no-install-recommends munge slurmctld slurmd slurm-client >/dev/null
}

configure() {
  local file
  # A Slurm that is already here is somebody's cluster.
  for file in slurm.conf gres.conf; do
    if [ -e "/etc/slurm/$file" ] && [ "$(readlink "/etc/slurm/$file")" != "$dir/$file" ]; then
      echo "$0: this machine has a Slurm of its own: /etc/slurm/$file" >&2
      exit 1
    fi
  done
  mkdir -p "$dir"/{state,spool,log,run}
  chmod 755 "$dir" "$dir/run"
  for file in nvidia0 nvidia1 nvidia2 nvidia3; do [ -e "$dir/$file" ] || mknod "$dir/$file" c 195 "${file#nvidia}"; done
  cat > "$dir/slurm.conf" <<CONF
ClusterName=sandbox
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/run/munge.socket
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
# without a database a finished job is known to squeue for MinJobAge seconds
AccountingStorageType=accounting_storage/none
MinJobAge=300
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5,sched_min_interval=100000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# a job over its time limit goes at once
KillWait=2
OverTimeLimit=0
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 Gres=gpu:4 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
PartitionName=gpu Nodes=$host MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
CONF
  echo "NodeName=$host Name=gpu File=$dir/nvidia[0-3]" > "$dir/gres.conf"
  # Not SLURM_CONF: Snakemake's job step drops it from a job's environment.
  for file in slurm.conf gres.conf; do ln -sfn "$dir/$file" "/etc/slurm/$file"; done
}

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

start() {
  [ -s "$dir/munge.key" ] || dd if=/dev/urandom of="$dir/munge.key" bs=1024 count=1 status=none
  chmod 400 "$dir/munge.key"
  alive "$dir/run/munged.pid" ||
    munged --force --key-file="$dir/munge.key" --socket="$dir/run/munge.socket" \
      --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" --seed-file="$dir/run/munged.seed"
  alive "$dir/run/slurmctld.pid" || slurmctld -c
  alive "$dir/run/slurmd.pid" || slurmd -N "$host"
  for _ in $(seq 60); do
    if [ "$(sinfo -h -n "$host" -p cpu -o %T 2>/dev/null)" = idle ]; then break; fi
    sleep 0.5
  done
  timeout 30 srun -p gpu -n1 -t 1 --mem=50 --gpus=1 true
}

stop() { # one daemon
  local pid
  alive "$dir/run/$1.pid" || return 0
  pid=$(cat "$dir/run/$1.pid")
  kill "$pid"
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.2; done
  kill -KILL "$pid"
}

case "${1:-}" in
  up) install; configure; start ;;
  down)
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    for daemon in slurmd slurmctld munged; do stop $daemon; done
    for file in slurm.conf gres.conf; do
      [ "$(readlink "/etc/slurm/$file")" != "$dir/$file" ] || rm "/etc/slurm/$file"
    done
    ;;
  restart-controller) stop slurmctld; slurmctld ;;
  *) sed -n '2,9p' "$0"; exit 2 ;;
esac
