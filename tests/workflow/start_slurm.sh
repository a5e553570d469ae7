#!/usr/bin/env bash
# Start a Slurm cluster of one node on this machine for the tests, without systemd and without accounting.
# Does nothing where a Slurm is up already.
#
# Needs Debian's packages slurm-wlm and munge, and root or sudo: Snakemake's jobs look for the configuration in
# /etc/slurm only (SLURM_CONF doesn't reach them), so a link is laid there to the one written here.
# To stop it: kill $(cat /tmp/tfbind-slurm/*.pid)
set -euo pipefail
PATH=$PATH:/usr/sbin
folder=${TMPDIR:-/tmp}/tfbind-slurm

is_up() { sinfo --noheader --responding --format=%T 2> /dev/null | grep -Eq '^(idle|mixed|allocated)$'; }

if is_up; then
    exit
elif [[ $(id -u) != 0 ]]; then
    exec sudo "$0"
elif [[ -e /etc/slurm/slurm.conf && $(readlink /etc/slurm/slurm.conf) != "$folder/slurm.conf" ]]; then
    echo "/etc/slurm/slurm.conf: is of a Slurm that isn't up, expected none or one that is" >&2
    exit 1
fi

# the node claims more than the machine may have, so that jobs of the size in profiles/slurm can start
mkdir -p "$folder/state" "$folder/spool" /etc/slurm
host=$(hostname -s)
cat > "$folder/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000
PartitionName=main Nodes=$host Default=YES
CONF
ln -sf "$folder/slurm.conf" /etc/slurm/slurm.conf

if ! munge --socket="$folder/munge.socket" --no-input > /dev/null 2>&1; then
    (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munged.seed" \
        > "$folder/munged.out" 2>&1
fi
slurmctld > "$folder/slurmctld.out" 2>&1
slurmd -N "$host" > "$folder/slurmd.out" 2>&1

for _ in {1..30}; do
    is_up && exit
    sleep 1
done
echo "Slurm did not start; its logs end so:" >&2
tail -n 20 "$folder"/*.log "$folder"/*.out >&2
exit 1
