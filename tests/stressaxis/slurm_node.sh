#!/bin/sh
# A SLURM cluster of one node on this machine's loopback, from Debian's packages, for tests and for trying a config.
#
#   apt-get install -y --no-install-recommends slurm-wlm munge
#   sudo sh tests/stressaxis/slurm_node.sh start FOLDER     # configuration, logs and state go to FOLDER
#   export SLURM_CONF=FOLDER/slurm.conf
#   sinfo; stressaxis run CONFIG
#   sudo sh tests/stressaxis/slurm_node.sh stop FOLDER
#
# Needs root: slurmd starts jobs in the name of who submitted them. Nothing under /etc is written but munge's key, if
# there is none yet. Ports 16817 and 16818; jobs share the cores, memory is not watched.
set -eu
folder=$(mkdir -p "$2" && cd "$2" && pwd)

start() {
    mkdir -p "$folder/state" "$folder/spool"
    [ -f /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 2>/dev/null
    chown munge: /etc/munge/munge.key && chmod 400 /etc/munge/munge.key
    mkdir -p /run/munge && chown munge: /run/munge && chmod 755 /run/munge
    if ! munge -n >/dev/null 2>&1; then
        su -s /bin/sh munge -c "/usr/sbin/munged"
        touch "$folder/munged-is-ours"
    fi
    memory_mb=$(awk '/MemTotal/ {print int($2 / 1024) - 500}' /proc/meminfo)
    cat >"$folder/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory_mb State=UNKNOWN
PartitionName=short Nodes=$(hostname -s) Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
END
    export SLURM_CONF="$folder/slurm.conf"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 30); do
        if sinfo -h -o %T 2>/dev/null | grep -q -E "idle|mixed|allocated"; then
            sinfo
            return 0
        fi
        sleep 1
    done
    echo "the node did not become idle; see $folder/*.log" >&2
    exit 1
}

stop() {
    for daemon in slurmd slurmctld; do
        [ -f "$folder/$daemon.pid" ] && kill "$(cat "$folder/$daemon.pid")" || true
    done
    [ -f "$folder/munged-is-ours" ] && kill "$(cat /run/munge/munged.pid)" && rm "$folder/munged-is-ours" || true
}

case "$1" in
start) start ;;
stop) stop ;;
*) echo "usage: $0 start|stop FOLDER" >&2 && exit 2 ;;
esac
